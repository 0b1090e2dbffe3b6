import { describe, expect, test } from 'vitest'
import { after, finishedAfter, inSight, nameOf, shown, type View } from '../src/fleet/jobs'
import { job } from './made'

const any: View = { filter: '', state: '', sort: 'name', down: false }
const a = job({ job_id: 'a', name: 'Anna', worker: 'copier-1', progress_percent: 10 })
const b = job({ job_id: 'b', name: null, worker: 'copier-2', progress_percent: null, state: 'scanning' })
const jobs = new Map([['a', a], ['b', b]])

describe('the jobs of the fleet', () => {
  test('that did not change are the same objects', () => {
    expect(after(jobs, { name: 'snapshot', jobs: [{ ...a }, { ...b, state: 'running' }] }).get('a')).toBe(a)
    expect(after(jobs, { name: 'snapshot', jobs: [{ ...b, state: 'running' }] }).get('b')?.state).toBe('running')
  })

  test('change one by one', () => {
    const next = after(jobs, { name: 'changes', changed: [job({ job_id: 'c' })], gone: ['a'] })
    expect([...next.keys()]).toEqual(['b', 'c'])
  })

  test('come to the finished ones when they end, and go when they are started again', () => {
    const ended = job({ job_id: 'a', finished_at: '2026-11-22T13:00:00Z', state: 'completed' })
    const finished = new Map([['z', job({ job_id: 'z', finished_at: '2026-11-22T11:00:00Z' })]])
    const next = finishedAfter(finished, { name: 'changes', changed: [ended, b], gone: ['z'] })
    expect([...next.keys()]).toEqual(['z', 'a'])
    expect([...finishedAfter(next, { name: 'snapshot', jobs: [{ ...ended, finished_at: null }] }).keys()]).toEqual(['z'])
    expect(finishedAfter(next, { name: 'changes', changed: [b], gone: [] })).toBe(next)
  })

  test('are found by any of their words, and by their state', () => {
    expect(shown(jobs, { ...any, filter: 'ANNA copier-1' })).toEqual([a])
    expect(shown(jobs, { ...any, filter: 'old.example', state: 'scanning' })).toEqual([b])
    expect(nameOf(b)).toBe('imap.old.example → imap.new.example')
  })

  test('are in order, what is not known last when it goes down', () => {
    expect(shown(jobs, { ...any, sort: 'progress', down: true })).toEqual([a, b])
    expect(shown(jobs, { ...any, sort: 'progress' })).toEqual([b, a])
  })

  test('are drawn only where they are seen', () => {
    expect(inSight(2000, 0, 600, 60)).toEqual({ from: 0, to: 18 })
    expect(inSight(2000, 60_000, 600, 60)).toEqual({ from: 992, to: 1018 })
    expect(inSight(5, 60_000, 600, 60)).toEqual({ from: 5, to: 5 })
  })
})
