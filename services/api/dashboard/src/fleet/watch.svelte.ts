/** The fleet that is watched: one stream for the whole page. */
import { ask, send } from '../api/client'
import type { JobView } from '../api/types'
import { tab } from '../live/eyes'
import { Stream, type Happening, type Link } from '../live/stream'
import { after, finishedAfter, type FleetEvent } from './jobs'

const ACTIVE = '/api/jobs?state=active'

export class FleetWatch {
  jobs = $state.raw<ReadonlyMap<string, JobView>>(new Map())
  finished = $state.raw<ReadonlyMap<string, JobView> | null>(null)
  link = $state.raw<Link>('connecting')
  readonly #token: string
  #stream: Stream<FleetEvent>

  private constructor(token: string, jobs: JobView[]) {
    this.#token = token
    this.#take({ name: 'snapshot', jobs })
    this.#stream = this.#open()
  }

  /** Throws a `Problem`: the token is not the operator's, or there is no answer. */
  static async open(token: string): Promise<FleetWatch> {
    return new FleetWatch(token, await ask<JobView[]>('GET', ACTIVE, { token }))
  }

  /** Throws a `Problem`. */
  async readFinished(): Promise<void> {
    const jobs = await ask<JobView[]>('GET', '/api/jobs?state=finished', { token: this.#token })
    this.finished = after(this.finished ?? new Map(), { name: 'snapshot', jobs })
  }

  /** Nobody looks: another page is in front. */
  close(): void {
    this.#stream.close()
  }

  again(): void {
    this.#stream = this.#open()
  }

  #open(): Stream<FleetEvent> {
    const token = this.#token
    return new Stream<FleetEvent>(
      {
        open: (id, signal) => send('GET', '/api/jobs/events', { token, signal, headers: { accept: 'text/event-stream', ...(id === '' ? {} : { 'last-event-id': id }) } }),
        poll: async (signal) => ({ name: 'snapshot', jobs: await ask<JobView[]>('GET', ACTIVE, { token, signal }) }),
        read: () => undefined, // events are taken one by one: a change is not replaced by the next
        settled: () => true,
      },
      tab,
      (happening) => this.#happened(happening),
    )
  }

  #take(event: FleetEvent): void {
    this.jobs = after(this.jobs, event)
    if (this.finished !== null) this.finished = finishedAfter(this.finished, event)
  }

  #happened(happening: Happening<FleetEvent>): void {
    if (happening.kind === 'link') this.link = happening.link
    if (happening.kind === 'refused') this.link = 'over'
    if (happening.kind === 'value') this.#take(happening.value)
    if (happening.kind !== 'event') return
    const { name, data } = happening.event
    if (name === 'snapshot') this.#take({ name, jobs: JSON.parse(data) as JobView[] })
    if (name === 'changes') this.#take({ name, ...(JSON.parse(data) as { changed: JobView[]; gone: string[] }) })
  }
}
