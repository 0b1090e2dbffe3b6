/** A job that is watched: the stream feeds the pure `apply`, components read. */
import type { Door } from '../api/client'
import { tab } from '../live/eyes'
import { Stream } from '../live/stream'
import { apply, NOTHING_YET, type Watched, type Watching } from '../live/watched'
import { source } from './door'

export class JobWatch {
  watched = $state.raw<Watched>(NOTHING_YET)
  readonly #door: Door
  #stream: Stream<NonNullable<Watched['snapshot']>>

  constructor(door: Door) {
    this.#door = door
    this.#stream = this.#open()
  }

  /** Listens anew: a job that had ended has been started once more. */
  again(): void {
    this.#stream.close()
    this.#stream = this.#open()
  }

  close(): void {
    this.#stream.close()
  }

  take(happened: Watching): void {
    this.watched = apply(this.watched, happened)
  }

  #open(): Stream<NonNullable<Watched['snapshot']>> {
    return new Stream(source(this.#door), tab, (happening) => this.take(happening))
  }
}
