/** The options as they are chosen, and as they are sent: what was left alone is left out. Pure. */
import type { JobOptions } from '../api/types'
import { positive } from '../job/limits'
import { globs, type Branch } from './folders'

export interface OptionsDraft {
  name: string
  mode: string
  left: ReadonlySet<string> // names of folders that are left out
  since: string // "2024-05-01", or empty
  before: string
  largest: string // megabytes
  concurrency: string
  bandwidth: string // megabits a second
  notify: string
}

export const emptyOptions = (): OptionsDraft => ({ name: '', mode: 'full', left: new Set(), since: '', before: '', largest: '', concurrency: '2', bandwidth: '', notify: '' })

export type OptionField = 'dates' | 'largest' | 'bandwidth' | 'folders'

export function wrongOptions(draft: OptionsDraft, branches: readonly Branch[]): OptionField[] {
  const bad = (text: string): boolean => text.trim() !== '' && positive(text) === null
  const wrong: OptionField[] = []
  if (branches.length > 0 && branches.every((branch) => draft.left.has(branch.name))) wrong.push('folders')
  if (draft.since !== '' && draft.before !== '' && draft.since >= draft.before) wrong.push('dates')
  if (bad(draft.largest)) wrong.push('largest')
  if (bad(draft.bandwidth)) wrong.push('bandwidth')
  return wrong
}

export function toOptions(draft: OptionsDraft, branches: readonly Branch[]): JobOptions {
  const largest = positive(draft.largest)
  const bandwidth = positive(draft.bandwidth)
  const options: Record<string, unknown> = {
    ...globs(branches, draft.left),
    ...(draft.mode === 'full' ? {} : { mode: draft.mode }),
    ...(draft.since === '' ? {} : { since: draft.since }),
    ...(draft.before === '' ? {} : { before: draft.before }),
    ...(largest === null ? {} : { max_item_bytes: Math.round(largest * 1e6) }),
    ...(draft.concurrency === '2' ? {} : { concurrency: Number(draft.concurrency) }),
    ...(bandwidth === null ? {} : { bandwidth_limit_mbps: bandwidth }),
    ...(draft.notify.trim() === '' ? {} : { notify_email: draft.notify.trim() }),
  }
  return options as JobOptions
}
