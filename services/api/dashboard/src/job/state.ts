/** What is said of a job's state; a dry run copies nothing, so it is said otherwise. */
import type { JobView } from '../api/types'
import type { JobTexts } from '../texts'
import type { StateText } from '../texts/en/job'

export const stateText = (job: Pick<JobView, 'mode' | 'state'>, t: JobTexts): StateText =>
  (job.mode === 'dry_run' ? t.dryRun[job.state] : undefined) ?? t.states[job.state]
