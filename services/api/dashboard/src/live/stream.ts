/**
 * Owns the connection to a stream of server-sent events, and keeps it alive.
 *
 * It reads the stream with `fetch`, not with `EventSource`: that closes for good
 * on a 502 or 503, does not tell a 404 from a broken line, and can't carry the
 * operator's token. So the retry is ours.
 */
import { Problem } from '../api/client'
import type { Eyes } from './eyes'
import { Parser, type ServerEvent } from './sse'

export type Link = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'asleep' | 'over'

export type Happening<T> = { kind: 'value'; value: T } | { kind: 'event'; event: ServerEvent } | { kind: 'link'; link: Link } | { kind: 'gone' } | { kind: 'refused' }

export interface Source<T> {
  /** Opens the stream; a status that is not 200 is thrown as a `Problem`. */
  open(lastEventId: string, signal: AbortSignal): Promise<Response>
  /** The same without a stream. */
  poll(signal: AbortSignal): Promise<T>
  /** What an event carries; undefined: it is none that carries a value. */
  read(event: ServerEvent): T | undefined
  /** Nothing will change any more, so nothing is left to ask. */
  settled(newest: T): boolean
}

export const FIRST_EVENT_MS = 10_000 // a stream that says nothing for so long is held back by a proxy
export const SILENCE_MS = 45_000 // the server says something every 15 s: this line is dead, though nobody closed it
export const POLL_MS = 10_000
export const FAILURES_UNTIL_POLLING = 5
const POLLS_UNTIL_STREAM = 6
const SETTLE_MS = 3_000
const LONGEST_WAIT_MS = 30_000
const PACE_MS = 1_000

export const backoff = (failures: number): number => Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** (failures - 1))

export class Stream<T> {
  readonly #source: Source<T>
  readonly #eyes: Eyes
  readonly #emit: (happening: Happening<T>) => void
  readonly #closed = new AbortController()
  #attempt = new AbortController()
  #wake: () => void = () => {}
  #lastEventId = ''
  #newest: T | undefined
  #lastValueAt = -PACE_MS
  #ended = false

  constructor(source: Source<T>, eyes: Eyes, emit: (happening: Happening<T>) => void) {
    this.#source = source
    this.#eyes = eyes
    this.#emit = (happening) => {
      if (!this.#closed.signal.aborted) emit(happening)
    }
    const forget = eyes.onChange(() => this.#looked())
    this.#closed.signal.addEventListener('abort', forget)
    void this.#run()
  }

  close(): void {
    this.#closed.abort()
    this.#attempt.abort()
    this.#wake()
  }

  #looked(): void {
    if (this.#eyes.hidden()) {
      this.#attempt.abort()
      if (!this.#ended) this.#emit({ kind: 'link', link: 'asleep' })
    }
    this.#wake()
  }

  async #run(): Promise<void> {
    let failures = 0
    let polls = 0
    this.#emit({ kind: 'link', link: this.#eyes.hidden() ? 'asleep' : 'connecting' })
    while (!this.#closed.signal.aborted) {
      await this.#seen()
      if (this.#closed.signal.aborted) return
      this.#attempt = new AbortController()
      try {
        if (failures >= FAILURES_UNTIL_POLLING && polls < POLLS_UNTIL_STREAM) {
          polls += 1
          await this.#poll()
          this.#emit({ kind: 'link', link: 'polling' })
          await this.#wait(POLL_MS)
          continue
        }
        polls = 0
        if (await this.#listen(() => (failures = 0))) return await this.#settle()
        failures += 1
      } catch (error) {
        if (this.#closed.signal.aborted || this.#isOver(error)) return
        if (this.#eyes.hidden()) continue
        failures += 1
        this.#emit({ kind: 'link', link: 'reconnecting' })
        const asked = error instanceof Problem ? (error.retryAfter ?? 0) * 1_000 : 0
        await this.#wait(Math.max(asked, failures > FAILURES_UNTIL_POLLING ? POLL_MS : backoff(failures)))
        continue
      }
      this.#emit({ kind: 'link', link: 'reconnecting' })
      await this.#wait(backoff(failures))
    }
  }

  /** Until the stream breaks off; true when it said that nothing more will come. */
  async #listen(onLife: () => void): Promise<boolean> {
    const attempt = this.#attempt
    let watchdog = setTimeout(() => attempt.abort(), FIRST_EVENT_MS)
    let alive = false
    try {
      const answer = await this.#source.open(this.#lastEventId, attempt.signal)
      if (answer.status === 204 || answer.body === null) return true
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      const parser = new Parser()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return false
        const events = parser.push(value)
        alive ||= events.length > 0
        if (alive) {
          clearTimeout(watchdog)
          watchdog = setTimeout(() => attempt.abort(), SILENCE_MS)
        }
        if (events.length === 0) continue
        onLife()
        this.#emit({ kind: 'link', link: 'live' })
        if (await this.#take(events)) return true
      }
    } finally {
      clearTimeout(watchdog)
      attempt.abort()
    }
  }

  async #take(events: ServerEvent[]): Promise<boolean> {
    const values = events.map((event) => this.#source.read(event))
    const ended = events.some((event) => event.name === 'end')
    const newest = values.findLast((value) => value !== undefined)
    this.#lastEventId = events.at(-1)?.id ?? ''
    for (const event of events) this.#emit({ kind: 'event', event })
    if (newest !== undefined) {
      const early = this.#lastValueAt + PACE_MS - performance.now()
      if (early > 0 && !ended) await this.#wait(early)
      this.#give(newest)
    }
    return ended
  }

  #give(value: T): void {
    this.#lastValueAt = performance.now()
    this.#newest = value
    this.#emit({ kind: 'value', value })
  }

  async #poll(): Promise<void> {
    this.#give(await this.#source.poll(this.#attempt.signal))
  }

  /** It has ended. What is still held goes a moment later, and all of it some day. */
  async #settle(): Promise<void> {
    this.#ended = true
    this.#emit({ kind: 'link', link: 'over' })
    while (!this.#closed.signal.aborted) {
      const settled = this.#newest !== undefined && this.#source.settled(this.#newest)
      await (settled ? this.#looksAgain() : this.#wait(SETTLE_MS))
      await this.#seen()
      if (this.#closed.signal.aborted) return
      this.#attempt = new AbortController()
      try {
        await this.#poll()
      } catch (error) {
        if (this.#isOver(error)) return
      }
    }
  }

  #isOver(error: unknown): boolean {
    const status = error instanceof Problem ? error.status : 0
    if (status === 404) this.#emit({ kind: 'gone' })
    if (status === 401 || status === 403) this.#emit({ kind: 'refused' })
    return status === 404 || status === 401 || status === 403
  }

  /** Waits; being looked at again, or the network coming back, ends the wait. */
  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #looksAgain(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  async #seen(): Promise<void> {
    while (this.#eyes.hidden() && !this.#closed.signal.aborted) await this.#looksAgain()
  }
}
