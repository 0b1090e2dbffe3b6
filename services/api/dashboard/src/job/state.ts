/** What is said of a job's state; a dry run copies nothing, and an agent does as it likes, so it is said otherwise. */
import type { JobView } from '../api/types'
import type { ExternalTexts, JobTexts } from '../texts'
import type { StateText } from '../texts/en/job'

export function stateText(job: Pick<JobView, 'kind' | 'mode' | 'state'>, t: JobTexts & Partial<ExternalTexts>): StateText {
  const otherwise = job.kind === 'external' ? t.external?.states : job.mode === 'dry_run' ? t.dryRun : undefined
  return otherwise?.[job.state] ?? t.states[job.state]
}
