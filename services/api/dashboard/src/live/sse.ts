/** Server-sent events out of chunks of text, as the HTML standard parses them (section 9.2.6). */

export interface ServerEvent {
  name: string
  data: string
  id: string
}

export class Parser {
  #rest = ''
  #name = ''
  #data: string[] = []
  #id = ''

  /** The events that this chunk completes. A chunk may end anywhere, also inside of a line. */
  push(chunk: string): ServerEvent[] {
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.#take(line))
  }

  #take(line: string): ServerEvent[] {
    if (line === '') return this.#complete()
    const colon = line.indexOf(':')
    if (colon === 0) return []
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id') this.#id = value
    return []
  }

  #complete(): ServerEvent[] {
    const event = { name: this.#name || 'message', data: this.#data.join('\n'), id: this.#id }
    const complete = this.#data.length > 0
    this.#name = ''
    this.#data = []
    return complete ? [event] : []
  }
}
