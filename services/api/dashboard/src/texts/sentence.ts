/** Sentences with words of others in them, which are marked as such where they are shown. Pure. */

/** `name`: of a folder or a keyword; `said`: a server's own words. */
export type Piece = string | { name: string } | { said: string }
export type Sentence = readonly Piece[]

/** say`…${quoted(folder)}…` */
export const say = (texts: TemplateStringsArray, ...given: (Piece | Sentence)[]): Sentence =>
  texts.flatMap((text, n) => [text, ...[given[n] ?? []].flat()])

export const listed = (language: string, elements: readonly Sentence[]): Sentence => {
  const rest = [...elements]
  return new Intl.ListFormat(language, { type: 'conjunction' }).formatToParts(elements.map(String)).flatMap((part) => (part.type === 'element' ? (rest.shift() ?? []) : [part.value]))
}

/** As a text alone. */
export const plain = (sentence: Sentence): string => sentence.map((piece) => (typeof piece === 'string' ? piece : 'name' in piece ? piece.name : piece.said)).join('')
