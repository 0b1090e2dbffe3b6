/** Failures by reason, the most frequent first. Pure. */
import type { FailureRow, Reason } from '../api/types'

export interface Group {
  reason: Reason
  rows: FailureRow[]
}

export function byReason(rows: readonly FailureRow[]): Group[] {
  const groups = new Map<Reason, FailureRow[]>()
  for (const row of rows) {
    const group = groups.get(row.reason)
    if (group === undefined) groups.set(row.reason, [row])
    else group.push(row)
  }
  return [...groups].map(([reason, found]) => ({ reason, rows: found })).sort((a, b) => b.rows.length - a.rows.length)
}
