import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Problem } from '../src/api/client'
import type { Eyes } from '../src/live/eyes'
import { Parser } from '../src/live/sse'
import { FAILURES_UNTIL_POLLING, FIRST_EVENT_MS, POLL_MS, SILENCE_MS, Stream, type Happening, type Source } from '../src/live/stream'

describe('the parser of events', () => {
  const text = ': hello\r\nid: 1\nevent: snapshot\ndata: {"a":\ndata:  1}\n\nevent: end\ndata: x\n\n'
  const events = [
    { name: 'snapshot', data: '{"a":\n 1}', id: '1' },
    { name: 'end', data: 'x', id: '1' },
  ]

  test('gives the same events however the text is cut', () => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      const parser = new Parser()
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(events)
    }
  })

  test('leaves out an event without data', () => {
    expect(new Parser().push('event: snapshot\n\n: ping\n\n')).toEqual([])
  })
})

/** A server with a script: what it answers to the n-th opening of the stream, and to every poll. */
class Script implements Source<number> {
  opened = 0
  polled = 0
  polls: () => Promise<number> = () => Promise.resolve(1)
  settledAt = Infinity
  signals: AbortSignal[] = []
  ids: string[] = []

  constructor(private readonly answers: ((signal: AbortSignal) => Promise<Response>)[]) {}

  open(id: string, signal: AbortSignal): Promise<Response> {
    this.ids.push(id)
    this.signals.push(signal)
    const answer = this.answers[Math.min(this.opened, this.answers.length - 1)]
    this.opened += 1
    return answer?.(signal) ?? Promise.reject(new Problem(0, ''))
  }

  poll(): Promise<number> {
    this.polled += 1
    return this.polls()
  }

  read = (event: { name: string; data: string }): number | undefined => (event.name === 'snapshot' ? Number(event.data) : undefined)
  settled = (newest: number): boolean => newest >= this.settledAt
}

class Lids implements Eyes {
  #hidden = false
  #callbacks = new Set<() => void>()
  hidden = (): boolean => this.#hidden
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback)
    return () => this.#callbacks.delete(callback)
  }
  set(hidden: boolean): void {
    this.#hidden = hidden
    for (const callback of this.#callbacks) callback()
  }
}

const event = (value: number, id = value): string => `id: ${id}\nevent: snapshot\ndata: ${value}\n\n`
const END = 'id: end\nevent: end\ndata: {"state":"completed"}\n\n'

/** A body with these pieces, that stays open afterwards or is closed by the server. */
const body = (pieces: string[], then: 'open' | 'close') => (signal: AbortSignal) =>
  Promise.resolve(
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece))
          if (then === 'close') controller.close()
          signal.addEventListener('abort', () => {
            try {
              controller.error(new DOMException('', 'AbortError'))
            } catch {
              // It had been closed.
            }
          })
        },
      }),
    ),
  )
const status = (code: number, retryAfter: number | null = null) => () => Promise.reject(new Problem(code, '', [], retryAfter))

describe('the stream', () => {
  let eyes: Lids
  let happened: Happening<number>[]
  let stream: Stream<number>

  const watch = (script: Script): void => {
    stream = new Stream(script, eyes, (happening) => happened.push(happening))
  }
  const values = (): number[] => happened.flatMap((each) => (each.kind === 'value' ? [each.value] : []))
  const links = (): string[] => happened.flatMap((each) => (each.kind === 'link' ? [each.link] : [])).filter((link, n, all) => link !== all[n - 1])
  const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds)

  beforeEach(() => {
    vi.useFakeTimers()
    eyes = new Lids()
    happened = []
  })

  afterEach(() => {
    stream.close()
    vi.useRealTimers()
  })

  test('shows at most one value a second, the newest', async () => {
    watch(new Script([body([event(1), event(2) + event(3), event(4)], 'open')]))
    await pass(10)
    expect(values()).toEqual([1])
    await pass(1_000)
    expect(values()).toEqual([1, 3])
    await pass(1_000)
    expect(values()).toEqual([1, 3, 4])
    expect(links()).toEqual(['connecting', 'live'])
  })

  test('opens again after 502 and 503, later each time, with the id of the last event', async () => {
    const script = new Script([body([event(1, 7)], 'close'), status(502), status(503), body([event(2)], 'open')])
    watch(script)
    await pass(999)
    expect(script.opened).toBe(1)
    await pass(10)
    expect(script.opened).toBe(2)
    await pass(2_000)
    expect(script.opened).toBe(3)
    await pass(4_000)
    expect(values()).toEqual([1, 2])
    expect(links()).toEqual(['connecting', 'live', 'reconnecting', 'live'])
    expect(script.ids).toEqual(['', '7', '7', '7'])
  })

  test('waits as long as the server asks', async () => {
    const script = new Script([status(503, 5), body([event(1)], 'open')])
    watch(script)
    await pass(4_900)
    expect(script.opened).toBe(1)
    await pass(200)
    expect(values()).toEqual([1])
  })

  test('a job that is not there is gone, and nothing more is asked', async () => {
    const script = new Script([status(404)])
    watch(script)
    await pass(60_000)
    expect(happened.at(-1)).toEqual({ kind: 'gone' })
    expect([script.opened, script.polled]).toEqual([1, 0])
  })

  test('a token that is not taken is refused at once', async () => {
    watch(new Script([status(401)]))
    await pass(60_000)
    expect(happened.at(-1)).toEqual({ kind: 'refused' })
  })

  test('polls every ten seconds after repeated failures, says so, and tries the stream again', async () => {
    const script = new Script([...Array<ReturnType<typeof status>>(FAILURES_UNTIL_POLLING).fill(status(503)), body([event(9)], 'open')])
    watch(script)
    await pass(1_000 + 2_000 + 4_000 + 8_000 + 16_000 + 10)
    expect([script.opened, script.polled, links().at(-1)]).toEqual([FAILURES_UNTIL_POLLING, 1, 'polling'])
    await pass(POLL_MS)
    expect(script.polled).toBe(2)
    await pass(5 * POLL_MS)
    expect(values().at(-1)).toBe(9)
    expect(links().at(-1)).toBe('live')
  })

  test('a stream that says nothing is given up', async () => {
    const script = new Script([body([': ping\n\n'], 'open'), body([event(1)], 'open')])
    watch(script)
    await pass(FIRST_EVENT_MS + 1_010)
    expect(values()).toEqual([1])
  })

  test('a line that has died without a word is opened anew', async () => {
    const script = new Script([body([event(1)], 'open'), body([event(2)], 'open')])
    watch(script)
    await pass(SILENCE_MS + 1_010)
    expect(values()).toEqual([1, 2])
  })

  test('the stream is closed while the page is hidden and opened when it is seen', async () => {
    const script = new Script([body([event(1)], 'open'), body([event(2)], 'open')])
    watch(script)
    await pass(10)
    eyes.set(true)
    await pass(600_000)
    expect(script.signals[0]?.aborted).toBe(true)
    expect([script.opened, links().at(-1)]).toEqual([1, 'asleep'])
    eyes.set(false)
    await pass(10)
    expect(values()).toEqual([1, 2])
  })

  test('being looked at again ends a long wait', async () => {
    const script = new Script([status(503, 30), body([event(1)], 'open')])
    watch(script)
    await pass(1_000)
    eyes.set(true)
    eyes.set(false)
    await pass(10)
    expect(values()).toEqual([1])
  })

  test('after the end it asks until all is settled, and then only when it is looked at', async () => {
    const script = new Script([body([event(1), END], 'close')])
    script.settledAt = 2
    script.polls = () => Promise.resolve(script.polled)
    watch(script)
    await pass(7_000)
    expect([script.opened, script.polled, links().at(-1)]).toEqual([1, 2, 'over'])
    await pass(600_000)
    expect(script.polled).toBe(2)
    script.polls = () => Promise.reject(new Problem(404, ''))
    eyes.set(false)
    await pass(10)
    expect(happened.at(-1)).toEqual({ kind: 'gone' })
  })

  test('after closing nothing happens any more', async () => {
    const script = new Script([body([event(1)], 'open')])
    watch(script)
    await pass(10)
    const before = happened.length
    stream.close()
    await pass(600_000)
    expect([happened.length, script.opened]).toEqual([before, 1])
  })
})
