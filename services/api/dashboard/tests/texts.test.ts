import { describe, expect, test } from 'vitest'
import { abilities, NONE } from '../src/api/abilities'
import { languageOf, speech, type Part } from '../src/texts'

const EVERY: Part[] = ['job', 'start', 'fleet', 'dialogs', 'sections', 'foot', 'reasons', 'limits', 'operator', 'external', 'gone']
const [{ t: en }, { t: de }] = await Promise.all([speech(['en'], EVERY), speech(['de'], EVERY)])

/** Every text by its path; functions are called with numbers and words. */
function texts(node: unknown, path = ''): [string, string][] {
  if (path === '.notices') return [] // they take more than numbers and words: see notices.test.ts
  if (typeof node === 'string') return [[path, node]]
  if (typeof node === 'function') return [[path, (node as (...args: unknown[]) => string)('2', 2, '3', 3)]]
  return Object.entries(node as object).flatMap(([name, value]) => texts(value, `${path}.${name}`))
}

describe('the catalogue', () => {
  test('no text is empty, and German is not English', () => {
    const english = new Map(texts(en))
    const same = texts(de).filter(([path, text]) => english.get(path) === text && text.length > 25)
    expect(same).toEqual([])
    expect([...texts(en), ...texts(de)].filter(([path, text]) => text.trim() === '' && path !== '.states.gone.next')).toEqual([])
  })

  test('the language is the first of the person’s that there is', () => {
    expect(languageOf(['fr-FR', 'de-AT', 'en'])).toBe('de')
    expect(languageOf(['fr'])).toBe('en')
    expect(languageOf([])).toBe('en')
  })
})

describe('what the api can do', () => {
  test('is read from its OpenAPI document', () => {
    const document = {
      paths: {
        '/api/jobs/{key}/retry': { post: {} },
      },
      components: { schemas: { JobOptions: { properties: { mode: { enum: ['full', 'dry_run'] } } } } },
    }
    expect(abilities(document)).toEqual({ ...NONE, modes: ['full', 'dry_run'], retry: true })
  })

  test('a document that is none allows nothing', () => {
    expect(abilities('<html>')).toEqual(NONE)
  })
})
