/** Asks the api. What goes wrong is a `Problem`, never an exception of the network. */
import type { FieldError, ProblemCode } from './types'

export class Problem extends Error {
  /** `status` 0: no answer at all. `retryAfter` in seconds. */
  constructor(
    readonly status: number,
    readonly code: ProblemCode = 'other',
    readonly errors: readonly FieldError[] = [],
    readonly retryAfter: number | null = null,
  ) {
    super(code)
  }
}

/** Where a job is read and changed, and with what: its key in the path, or the operator's token beside its id. */
export interface Door {
  path: string
  token: string | null
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export async function ask<T>(
  method: Method,
  path: string,
  { body, token, signal }: { body?: unknown; token?: string | null; signal?: AbortSignal } = {},
): Promise<T> {
  const answer = await send(method, path, { body, token: token ?? null, signal: signal ?? null })
  if (answer.status === 204) return undefined as T
  return (await answer.json()) as T
}

export async function send(
  method: Method,
  path: string,
  options: { body?: unknown; token: string | null; signal: AbortSignal | null; headers?: Record<string, string> },
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers }
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  if (options.token !== null) headers['authorization'] = `Bearer ${options.token}`
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal,
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    })
  } catch {
    throw new Problem(0)
  }
  if (answer.ok) return answer
  throw await problemOf(answer)
}

async function problemOf(answer: Response): Promise<Problem> {
  const retryAfter = Number(answer.headers.get('retry-after') ?? NaN)
  let said: { code?: ProblemCode; errors?: FieldError[] } = {}
  try {
    said = (await answer.json()) as typeof said
  } catch {
    // A proxy's page: the status says all there is.
  }
  return new Problem(answer.status, said.code, said.errors, Number.isFinite(retryAfter) ? retryAfter : null)
}
