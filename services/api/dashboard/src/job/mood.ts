/** How a job in this state looks. Pure. */
import { type JobView } from '../api/types'
import type { Mood } from '../live/favicon'

export function moodOf(state: JobView['state']): Mood {
  if (state === 'completed') return 'good'
  if (state === 'completed_with_errors') return 'mixed'
  if (state === 'failed') return 'bad'
  return state === 'running' || state === 'scanning' || state === 'queued' ? 'going' : 'still'
}
