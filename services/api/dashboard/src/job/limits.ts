/** What a person chose in the dialog, as the change that is sent: what is left out stays as it is. Pure. */
import type { LimitsChange } from '../api/types'

export interface LimitsDraft {
  concurrency: string // empty: as it is
  bandwidth: string // keep, unlimited or limited
  mbps: string
}

/** A number greater than zero, with a comma or a point; null: it is none. */
export function positive(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && Number.isFinite(value) && value > 0 ? value : null
}

/** Null: the number is none. */
export function change(draft: LimitsDraft): LimitsChange | null {
  const limit = draft.bandwidth === 'unlimited' ? null : positive(draft.mbps)
  if (draft.bandwidth === 'limited' && limit === null) return null
  return {
    ...(draft.concurrency === '' ? {} : { concurrency: Number(draft.concurrency) }),
    ...(draft.bandwidth === 'keep' ? {} : { bandwidth_limit_mbps: limit }),
  }
}
