/** Limits and their schedule as they are typed in, and as they are sent. Pure. */
import type { Day, Limits, Window } from '../api/types'

export const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

export interface WindowDraft {
  days: readonly Day[]
  from: string // "08:00"
  to: string
  mbps: string // empty: nothing is copied
}

export interface LimitsDraft {
  concurrency: string
  bandwidth: string // megabits a second; empty: no limit
  windows: readonly WindowDraft[]
  timezone: string
}

export const MOST_WINDOWS = 28

const here = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

export const emptyLimits = (): LimitsDraft => ({ concurrency: '2', bandwidth: '', windows: [], timezone: here() })

export const newWindow = (): WindowDraft => ({ days: DAYS.slice(0, 5), from: '08:00', to: '18:00', mbps: '' })

export function draftOf(limits: Limits): LimitsDraft {
  return {
    concurrency: String(limits.concurrency ?? 2),
    bandwidth: limits.bandwidth_limit_mbps == null ? '' : String(limits.bandwidth_limit_mbps),
    windows: (limits.schedule ?? []).map(({ days, from, to, mbps }) => ({ days, from, to, mbps: mbps === 0 ? '' : String(mbps) })),
    timezone: limits.timezone ?? (limits.schedule?.length ? 'UTC' : here()),
  }
}

/** A number greater than zero, with a comma or a point; null: it is none. */
export function positive(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && Number.isFinite(value) && value > 0 ? value : null
}

export const badNumber = (text: string): boolean => text.trim() !== '' && positive(text) === null

export type WindowFault = 'days' | 'times' | 'number'

export function faultOf(window: WindowDraft): WindowFault | null {
  if (window.days.length === 0) return 'days'
  if (window.from === '' || window.to === '') return 'times'
  return badNumber(window.mbps) ? 'number' : null
}

/** It ends on the day after the one it begins on. */
export const overMidnight = (window: WindowDraft): boolean => window.from !== '' && window.to !== '' && window.to <= window.from

/** Null: something is wrong. */
export function limitsOf(draft: LimitsDraft): Required<Limits> | null {
  if (badNumber(draft.bandwidth) || draft.windows.some((window) => faultOf(window) !== null)) return null
  const schedule = draft.windows.map(({ days, from, to, mbps }): Window => ({ days: [...days], from, to, mbps: positive(mbps) ?? 0 }))
  return {
    concurrency: Number(draft.concurrency),
    bandwidth_limit_mbps: positive(draft.bandwidth),
    schedule,
    timezone: schedule.length > 0 ? draft.timezone : null,
  }
}

/** What differs from `before`: what is left out stays as it is. */
export function changed(before: Limits, after: Required<Limits>): Limits {
  const was = limitsOf(draftOf(before))
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(was?.[name as keyof Limits])))
}
