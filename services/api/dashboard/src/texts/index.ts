/** Which language the pages speak, and the loading of its texts: only the parts a page needs. */
import { formats, type Formats } from '../numbers/format'
import type { Common } from './en/common'
import type { DialogTexts } from './en/dialogs'
import type { ExternalTexts } from './en/external'
import type { FleetTexts } from './en/fleet'
import type { FootTexts } from './en/foot'
import type { GoneTexts } from './en/gone'
import type { JobTexts } from './en/job'
import type { LimitsTexts } from './en/limits'
import type { NoticeTexts } from './en/notices'
import type { OperatorTexts } from './en/operator'
import type { ProblemTexts } from './en/problems'
import type { ReasonTexts } from './en/reasons'
import type { SectionTexts } from './en/sections'
import type { StartTexts } from './en/start'

export type { Common, DialogTexts, ExternalTexts, FleetTexts, FootTexts, GoneTexts, JobTexts, LimitsTexts, NoticeTexts, OperatorTexts, ProblemTexts, ReasonTexts, SectionTexts, StartTexts }
export type Language = 'en' | 'de'
export type Part = 'job' | 'start' | 'fleet' | 'dialogs' | 'sections' | 'foot' | 'reasons' | 'limits' | 'operator' | 'external' | 'gone'

/** Each module exports objects: the texts that are added. */
const PARTS: Record<Language, { common: () => Promise<{ common: Common }> } & Record<Part, () => Promise<Record<string, object>>>> = {
  en: {
    common: () => import('./en/common'),
    job: () => import('./en/job'),
    start: () => import('./en/start'),
    fleet: () => import('./en/fleet'),
    dialogs: () => import('./en/dialogs'),
    sections: () => import('./en/sections'),
    foot: () => import('./en/foot'),
    reasons: () => import('./en/reasons'),
    limits: () => import('./en/limits'),
    operator: () => import('./en/operator'),
    external: () => import('./en/external'),
    gone: () => import('./en/gone'),
  },
  de: {
    common: () => import('./de/common'),
    job: () => import('./de/job'),
    start: () => import('./de/start'),
    fleet: () => import('./de/fleet'),
    dialogs: () => import('./de/dialogs'),
    sections: () => import('./de/sections'),
    foot: () => import('./de/foot'),
    reasons: () => import('./de/reasons'),
    limits: () => import('./de/limits'),
    operator: () => import('./de/operator'),
    external: () => import('./de/external'),
    gone: () => import('./de/gone'),
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
  const { common } = await PARTS[language].common()
  const said = { language, t: { ...common }, f: formats(wanted[0] ?? language, common.speedUnit) }
  await learn(said, parts)
  return said
}

/** Adds the texts of what is shown only when it is needed: to be awaited before that is shown. */
export async function learn(said: Speech, parts: readonly Part[]): Promise<void> {
  const loaded = await Promise.all(parts.map((part) => PARTS[said.language][part]()))
  Object.assign(said.t, ...loaded.flatMap(Object.values))
}
