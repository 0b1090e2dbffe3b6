/** The mark in the tab: a pool that fills. Pure. */

const TIDE = '#0e6f7c'
const CORAL = '#a83a22'
const AMBER = '#9a6a00'
const STONE = '#7d8b88'

export type Mood = 'going' | 'good' | 'mixed' | 'bad' | 'still'

const COLOURS: Record<Mood, string> = { going: TIDE, good: TIDE, mixed: AMBER, bad: CORAL, still: STONE }

/** An address of the picture; `percent` null: not known yet. */
export function favicon(percent: number | null, mood: Mood): string {
  const colour = COLOURS[mood]
  const top = 30 - 28 * ((percent ?? 6) / 100)
  const water = `M0 ${top.toFixed(1)}q4-2 8 0t8 0 8 0 8 0v32H0z`
  const tick = mood === 'good' ? '<path d="M10 16.500l4.500 4.500 8-9" fill="none" stroke="#fff" stroke-width="3"/>' : ''
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><clipPath id="c"><circle cx="16" cy="16" r="14"/></clipPath><circle cx="16" cy="16" r="14" fill="#eef5f3"/><path clip-path="url(#c)" d="${water}" fill="${colour}"/><circle cx="16" cy="16" r="14" fill="none" stroke="${colour}" stroke-width="2"/>${tick}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
