/** What the api would not do, in words that say what to do. What the server says in English is never shown. */
import type { Problem } from '../api/client'
import type { FieldError } from '../api/types'
import type { Formats } from '../numbers/format'
import { learn, type ProblemTexts, type Speech } from '../texts'

export interface Told {
  /** For the form as a whole. */
  text: string
  /** What is to be said beside each field, by the api's name of the field: "options.notify_email". */
  fields: Record<string, string>
}

export async function told(problem: Problem, speech: Speech): Promise<Told> {
  const { t, f } = speech
  const alone = (text: string): Told => ({ text, fields: {} })
  if (problem.status === 0) return alone(t.problem.offline)
  if (problem.status === 429) return alone(t.problem.tooMany(f.duration(problem.retryAfter ?? 60)))
  if (problem.status >= 500) return alone(t.problem.busy)
  try {
    await learn(speech, ['problems'])
  } catch {
    return alone(t.problem.refused)
  }
  const { problems } = speech.t as typeof t & ProblemTexts
  const [first] = problem.errors
  return {
    text: first === undefined ? (problems.codes[problem.code] ?? t.problem.refused) : inField(first, problems, f),
    fields: Object.fromEntries(problem.errors.map((each) => [each.field, ofField(each, problems, f)])),
  }
}

type Texts = ProblemTexts['problems']
const known = <T extends object>(of: T, name: string): name is string & keyof T => Object.hasOwn(of, name)
const parts = (field: string): string[] => field.split('.').reverse()

function ofField(error: FieldError, problems: Texts, f: Formats): string {
  const last = parts(error.field)[0] ?? ''
  if (error.code === 'malformed' && known(problems.malformed, last)) return problems.malformed[last]
  const limit = (last.endsWith('_bytes') ? f.bytes : f.number)(error.limit ?? 0)
  return (problems.fields[error.code] ?? problems.fields.invalid)(limit)
}

/** With the name of the field, where it has one on the pages. */
function inField(error: FieldError, problems: Texts, f: Formats): string {
  const text = ofField(error, problems, f)
  const name = parts(error.field).find((part) => known(problems.labels, part))
  return name === undefined ? text : problems.inField(problems.labels[name as keyof Texts['labels']], text)
}
