/** What the api would not do, in words that say what to do. What the server says in English is never shown. */
import type { Problem } from '../api/client'
import { learn, type Speech } from '../texts'

export interface Told {
  /** For the form as a whole. */
  text: string
  /** What is to be said beside each field, by the api's name of the field: "options.notify_email". */
  fields: Record<string, string>
}

export async function told(problem: Problem, speech: Speech): Promise<Told> {
  const { t } = speech
  const alone = (text: string): Told => ({ text, fields: {} })
  if (problem.status === 0) return alone(t.problem.offline)
  if (problem.status >= 500) return alone(t.problem.busy)
  try {
    const [{ byCode }] = await Promise.all([import('./codes'), learn(speech, ['reasons'])])
    return byCode(problem, speech)
  } catch {
    return alone(t.problem.refused)
  }
}
