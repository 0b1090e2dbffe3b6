/** What went wrong, in words that say what to do. Pure. */
import type { Problem } from '../api/client'
import type { Formats } from '../numbers/format'
import type { Common } from '../texts'

export function problemText(problem: Problem, t: Common, f: Formats): string {
  if (problem.status === 0) return t.problem.offline
  if (problem.status === 429) return t.problem.tooMany(f.duration(problem.retryAfter ?? 60))
  if (problem.status === 409) return t.problem.ended
  if (problem.status >= 500) return t.problem.busy
  return t.problem.refused(problem.detail)
}
