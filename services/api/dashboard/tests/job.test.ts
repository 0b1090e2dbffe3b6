import { describe, expect, test } from 'vitest'
import type { BatchRow, FailureRow } from '../src/api/types'
import { bookmarkKey } from '../src/job/bookmark'
import { byReason } from '../src/job/failures'
import { curve, extent, resolution } from '../src/job/history'
import { held } from '../src/job/holds'
import { job } from './made'

describe('what is still held', () => {
  const credentials = { what: 'credentials', why: '', until: null }
  const results = { what: 'results', why: '', until: '2026-11-29T12:00:00Z' }

  test('what goes is struck out', () => {
    const lines = held(job({ holds: [results] }), [credentials, results])
    expect(lines.map((line) => [line.what, line.gone])).toEqual([['credentials', true], ['results', false]])
  })

  test('the credentials of an ended job are shown as destroyed, also to who comes later', () => {
    expect(held(job({ state: 'completed', holds: [results] }), [])[0]).toMatchObject({ what: 'credentials', gone: true })
    expect(held(job({ state: 'running', holds: [results] }), [])[0]?.what).toBe('results')
  })
})

describe('the curve of the speed', () => {
  const at = (second: number, bytes: number): BatchRow => ({ at: new Date(second * 1000).toISOString(), items: 1, bytes, seconds: 1 })

  test('has a point for every step, zero where nothing was copied', () => {
    expect(curve([at(10, 125_000), at(13, 250_000)], 1, 16)).toEqual({ times: [10, 11, 12, 13, 14, 15], megabits: [1, 0, 0, 2, 0, 0] })
  })

  test('sums up what folders copied in the same step', () => {
    expect(curve([at(10, 625_000), at(15, 625_000)], 5, 0).megabits).toEqual([1, 1])
    expect(curve([at(10, 625_000), at(11, 625_000)], 5, 0).megabits).toEqual([2])
  })

  test('without batches there is none', () => {
    expect(curve([], 1, 100)).toEqual({ times: [], megabits: [] })
    expect(extent({ times: [], megabits: [] })).toEqual({ average: 0, best: 0 })
  })

  test('keeps to some hundred points however long the job took', () => {
    expect([60, 3_600, 86_400, 30 * 86_400].map(resolution)).toEqual([1, 15, 600, 21_600])
  })
})

describe('the rest of the page', () => {
  test('failures stand together by reason, the most frequent first', () => {
    const row = (reason: FailureRow['reason']): FailureRow => ({ at: '', folder: '', uid: 1, reason, server_text: '', what_to_do: '' })
    const groups = byReason([row('over_quota'), row('message_refused'), row('message_refused')])
    expect(groups.map((group) => [group.reason, group.rows.length])).toEqual([['message_refused', 2], ['over_quota', 1]])
  })

  test('the key of a bookmark is the one of the platform', () => {
    expect([bookmarkKey('MacIntel', false, 'Strg'), bookmarkKey('Win32', false, 'Strg'), bookmarkKey('iPhone', true, 'Strg')]).toEqual(['⌘ D', 'Strg + D', null])
  })
})
