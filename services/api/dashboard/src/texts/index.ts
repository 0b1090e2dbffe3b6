/** Which language the pages speak, and the loading of its texts: only the one that is needed. */
import type { Formats } from '../numbers/format'
import { formats } from '../numbers/format'
import type { Texts } from './en'

export type Language = 'en' | 'de'

const LOAD: Record<Language, () => Promise<Texts>> = {
  en: () => import('./en').then((module) => module.en),
  de: () => import('./de').then((module) => module.de),
}

export interface Speech {
  language: Language
  t: Texts
  f: Formats
}

/** The first of the person's languages that there are texts in; else English. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0]
    if (base === 'en' || base === 'de') return base
  }
  return 'en'
}

/** Texts in a language there is, numbers and dates in the browser's. */
export async function speech(wanted: readonly string[]): Promise<Speech> {
  const language = languageOf(wanted)
  const t = await LOAD[language]()
  return { language, t, f: formats(wanted[0] ?? language, t.speedUnit) }
}
