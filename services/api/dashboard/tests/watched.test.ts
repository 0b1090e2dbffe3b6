import { describe, expect, test } from 'vitest'
import { announcement } from '../src/live/announcement'
import { apply, forward, NOTHING_YET, type Watched } from '../src/live/watched'
import { job, snapshot } from './made'

describe('what is shown', () => {
  test('a percentage never falls', () => {
    const shown = forward(snapshot({ progress_percent: 40 }), snapshot({ progress_percent: 30, items_total: 20 }))
    expect(shown.job.progress_percent).toBe(40)
    expect(shown.job.items_total).toBe(20)
  })

  test('an older report, and a live state after the end, is not shown', () => {
    const newer = snapshot({ last_report_at: '2026-11-22T12:00:10Z' })
    expect(forward(newer, snapshot({ last_report_at: '2026-11-22T12:00:09Z' }))).toBe(newer)
    const ended = snapshot({ state: 'completed', finished_at: '2026-11-22T12:00:10Z' })
    expect(forward(ended, snapshot({ state: 'running' }))).toBe(ended)
  })

  test('a job that was started once more begins anew', () => {
    const ended = snapshot({ state: 'completed_with_errors', progress_percent: 100, finished_at: '2026-11-22T12:00:10Z' })
    const again = snapshot({ run: 2, state: 'queued', progress_percent: 97 })
    expect(forward(ended, again)).toBe(again)
    expect(forward(again, ended)).toBe(again)
  })

  test('while it is held still nothing moves, and then the newest is shown', () => {
    const first = snapshot({ items_completed: 1 })
    const second = snapshot({ items_completed: 2 })
    let watched: Watched = apply(NOTHING_YET, { kind: 'value', value: first })
    watched = apply(watched, { kind: 'hold-still' })
    watched = apply(watched, { kind: 'value', value: second })
    expect(watched.snapshot).toBe(first)
    expect(apply(watched, { kind: 'go-on' }).snapshot).toBe(second)
  })

  test('an end that says gone is gone', () => {
    const end = { name: 'end', data: '{"state":"gone"}', id: 'end' }
    expect(apply(NOTHING_YET, { kind: 'event', event: end }).gone).toBe(true)
    expect(apply(NOTHING_YET, { kind: 'event', event: { ...end, data: '{"state":"completed"}' } }).gone).toBe(false)
  })
})

describe('what is announced', () => {
  test('each state once, each ten percent once, nothing at the first sight', () => {
    expect(announcement(null, job({ progress_percent: 50 }))).toBeNull()
    expect(announcement(job({ progress_percent: 19 }), job({ progress_percent: 21 }))).toEqual({ kind: 'percent', percent: 20 })
    expect(announcement(job({ progress_percent: 21 }), job({ progress_percent: 29.9 }))).toBeNull()
    expect(announcement(job({ state: 'running' }), job({ state: 'paused' }))).toEqual({ kind: 'state', state: 'paused' })
  })

  test('a hundred percent is announced by its state', () => {
    expect(announcement(job({ progress_percent: 99 }), job({ progress_percent: 100 }))).toBeNull()
  })
})
