/** The options as they are chosen, and as they are sent: what was left alone is left out. Pure. */
import type { JobOptions } from '../api/types'
import { badNumber, changed, emptyLimits, limitsOf, positive, type LimitsDraft } from '../limits/draft'
import type { Language } from '../texts'
import { chosenOf, globs, type Branch } from './folders'

export interface OptionsDraft {
  name: string
  project: string
  mode: string
  left: ReadonlySet<string> // names of folders that are left out
  since: string // "2024-05-01", or empty
  before: string
  largest: string // megabytes
  limits: LimitsDraft
  notify: string
}

export const emptyOptions = (): OptionsDraft => ({ name: '', project: '', mode: 'full', left: new Set(), since: '', before: '', largest: '', limits: emptyLimits(), notify: '' })

export type OptionField = 'dates' | 'largest' | 'limits' | 'folders'

export function wrongOptions(draft: OptionsDraft, branches: readonly Branch[]): OptionField[] {
  const wrong: OptionField[] = []
  if (branches.length > 0 && chosenOf(branches, draft.left).length === 0) wrong.push('folders')
  if (draft.since !== '' && draft.before !== '' && draft.since >= draft.before) wrong.push('dates')
  if (badNumber(draft.largest)) wrong.push('largest')
  if (limitsOf(draft.limits) === null) wrong.push('limits')
  return wrong
}

export function toOptions(draft: OptionsDraft, branches: readonly Branch[], language: Language): JobOptions {
  const largest = positive(draft.largest)
  const limits = limitsOf(draft.limits)
  const options: Record<string, unknown> = {
    ...globs(branches, draft.left),
    ...(draft.mode === 'full' ? {} : { mode: draft.mode }),
    ...(draft.since === '' ? {} : { since: draft.since }),
    ...(draft.before === '' ? {} : { before: draft.before }),
    ...(largest === null ? {} : { max_item_bytes: Math.round(largest * 1e6) }),
    ...(limits === null ? {} : changed({}, limits)),
    ...(draft.notify.trim() === '' ? {} : { notify_email: draft.notify.trim(), notify_language: language }),
  }
  return options as JobOptions
}
