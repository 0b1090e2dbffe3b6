/** What the api's codes of a problem and of its fields mean: loaded when there is a problem. Pure. */
import type { Problem } from '../api/client'
import type { FieldError } from '../api/types'
import type { Formats } from '../numbers/format'
import type { ProblemTexts, Speech } from '../texts'
import type { Told } from './problem'

/** The texts of problems have been learned. */
export function byCode(problem: Problem, { t, f }: Speech): Told {
  if (problem.status === 429) return { text: t.problem.tooMany(f.duration(problem.retryAfter ?? 60)), fields: {} }
  const { problems } = t as typeof t & ProblemTexts
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
