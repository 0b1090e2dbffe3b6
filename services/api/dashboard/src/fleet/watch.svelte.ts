/** The fleet that is watched: one stream for the whole page, or looking every two seconds where there is none. */
import { abilities, NONE, type Abilities } from '../api/abilities'
import { ask, Problem, send } from '../api/client'
import type { JobView } from '../api/types'
import { Stream, tab, type Happening, type Link } from '../live/stream'
import { after, type FleetEvent } from './jobs'

const LOOK_MS = 2000

export class FleetWatch {
  jobs = $state.raw<ReadonlyMap<string, JobView> | null>(null)
  finished = $state.raw<ReadonlyMap<string, JobView> | null>(null)
  link = $state.raw<Link>('connecting')
  can = $state.raw<Abilities>(NONE)
  readonly #token: string
  #stream: Stream<FleetEvent> | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #forget: () => void

  private constructor(token: string, jobs: JobView[]) {
    this.#token = token
    this.#take({ name: 'snapshot', jobs })
    this.#forget = tab.onChange(() => void this.#look())
  }

  /** Throws a `Problem`: the token is not the operator's, or there is no answer. */
  static async open(token: string): Promise<FleetWatch> {
    const watch = new FleetWatch(token, await ask<JobView[]>('GET', '/api/jobs?state=active', { token }))
    watch.can = await ask('GET', '/openapi.json').then(abilities, () => NONE)
    if (watch.can.fleetStream) {
      watch.#listen()
    } else {
      watch.link = 'live'
      watch.#later()
    }
    return watch
  }

  async readFinished(): Promise<void> {
    const jobs = await ask<JobView[]>('GET', '/api/jobs?state=finished', { token: this.#token })
    this.finished = after(this.finished ?? new Map(), { name: 'snapshot', jobs })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#stream?.close()
    this.#forget()
  }

  #take(event: FleetEvent): void {
    this.jobs = after(this.jobs ?? new Map(), event)
  }

  #listen(): void {
    const token = this.#token
    this.#stream = new Stream<FleetEvent>(
      {
        open: (id, signal) => send('GET', '/api/jobs/events', { token, signal, headers: { accept: 'text/event-stream', ...(id === '' ? {} : { 'last-event-id': id }) } }),
        poll: async (signal) => ({ name: 'snapshot', jobs: await ask<JobView[]>('GET', '/api/jobs?state=active', { token, signal }) }),
        read: () => undefined, // events are taken one by one: a change is not replaced by the next
        settled: () => true,
      },
      tab,
      (happening) => this.#happened(happening),
    )
  }

  #happened(happening: Happening<FleetEvent>): void {
    if (happening.kind === 'link') this.link = happening.link
    if (happening.kind === 'value') this.#take(happening.value)
    if (happening.kind !== 'event') return
    const { name, data } = happening.event
    if (name === 'snapshot') this.#take({ name, jobs: JSON.parse(data) as JobView[] })
    if (name === 'changes') this.#take({ name, ...(JSON.parse(data) as { changed: JobView[]; gone: string[] }) })
  }

  #later(): void {
    clearTimeout(this.#timer)
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), LOOK_MS)
  }

  async #look(): Promise<void> {
    if (this.#stream !== null || this.#closed) return
    if (tab.hidden()) {
      this.link = 'asleep'
      clearTimeout(this.#timer)
      return
    }
    try {
      this.#take({ name: 'snapshot', jobs: await ask<JobView[]>('GET', '/api/jobs?state=active', { token: this.#token }) })
      this.link = 'live'
    } catch (error) {
      this.link = error instanceof Problem && error.passing ? 'reconnecting' : 'over'
    }
    this.#later()
  }
}
