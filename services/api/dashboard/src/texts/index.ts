/** Which language the pages speak, and the loading of its texts: only the parts a page needs. */
import type { Reason } from '../api/types'
import { formats, type Formats } from '../numbers/format'
import type { Common } from './en/common'
import type { DialogTexts } from './en/dialogs'
import type { FleetTexts } from './en/fleet'
import type { FootTexts } from './en/foot'
import type { JobTexts } from './en/job'
import type { LimitsTexts } from './en/limits'
import type { OperatorTexts } from './en/operator'
import type { SectionTexts } from './en/sections'
import type { StartTexts } from './en/start'

export interface ReasonTexts {
  reasons: Record<Reason, string>
}

export type { Common, DialogTexts, FleetTexts, FootTexts, JobTexts, LimitsTexts, OperatorTexts, SectionTexts, StartTexts }
export type Language = 'en' | 'de'
export type Part = 'job' | 'start' | 'fleet' | 'dialogs' | 'sections' | 'foot' | 'reasons' | 'limits' | 'operator'

const PARTS: Record<Language, { common: () => Promise<Common> } & Record<Part, () => Promise<object>>> = {
  en: {
    common: async () => (await import('./en/common')).common,
    job: async () => (await import('./en/job')).job,
    start: async () => (await import('./en/start')).start,
    fleet: async () => (await import('./en/fleet')).fleet,
    dialogs: async () => (await import('./en/dialogs')).dialogs,
    sections: async () => (await import('./en/sections')).sections,
    foot: async () => (await import('./en/foot')).foot,
    reasons: () => import('./en/reasons'),
    limits: async () => (await import('./en/limits')).limits,
    operator: async () => (await import('./en/operator')).operator,
  },
  de: {
    common: async () => (await import('./de/common')).common,
    job: async () => (await import('./de/job')).job,
    start: async () => (await import('./de/start')).start,
    fleet: async () => (await import('./de/fleet')).fleet,
    dialogs: async () => (await import('./de/dialogs')).dialogs,
    sections: async () => (await import('./de/sections')).sections,
    foot: async () => (await import('./de/foot')).foot,
    reasons: () => import('./de/reasons'),
    limits: async () => (await import('./de/limits')).limits,
    operator: async () => (await import('./de/operator')).operator,
  },
}

export interface Speech<T = Common> {
  language: Language
  t: T
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
export async function speech(wanted: readonly string[], parts: readonly Part[]): Promise<Speech> {
  const language = languageOf(wanted)
  const t = await PARTS[language].common()
  const said = { language, t: { ...t }, f: formats(wanted[0] ?? language, t.speedUnit) }
  await learn(said, parts)
  return said
}

/** Adds the texts of what is shown only when it is needed: to be awaited before that is shown. */
export async function learn(said: Speech, parts: readonly Part[]): Promise<void> {
  Object.assign(said.t, ...(await Promise.all(parts.map((part) => PARTS[said.language][part]()))))
}
