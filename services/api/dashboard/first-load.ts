/** Fails the build when a page makes a browser fetch too much JavaScript before it shows a job that runs. */
import { gzipSync } from 'node:zlib'
import type { Plugin, Rolldown } from 'vite'

const MOST = 30_000 // bytes, gzipped; without the chart
const PAGES: Record<string, string[]> = { Start: ['start'], Job: ['job'], Fleet: ['fleet'], Gone: ['gone'] }
const LANGUAGES = ['en', 'de']

export function firstLoad(): Plugin {
  return {
    name: 'first-load',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((each): each is Rolldown.OutputChunk => each.type === 'chunk')
      const of = (ending: string): Rolldown.OutputChunk => {
        const found = chunks.find((chunk) => chunk.isEntry === (ending === 'main') && (ending === 'main' || chunk.facadeModuleId?.endsWith(ending)))
        if (found === undefined) throw new Error(`There is no chunk of ${ending}`)
        return found
      }
      const loaded = (chunk: Rolldown.OutputChunk, all = new Set<Rolldown.OutputChunk>()): Set<Rolldown.OutputChunk> => {
        if (all.has(chunk)) return all
        all.add(chunk)
        for (const name of chunk.imports) {
          const imported = bundle[name]
          if (imported?.type === 'chunk') loaded(imported, all)
        }
        return all
      }
      const heavy: string[] = []
      for (const [page, parts] of Object.entries(PAGES)) {
        for (const language of LANGUAGES) {
          const files = new Set(['main', `${page}.svelte`, ...['common', ...parts].map((part) => `${language}/${part}.ts`)].flatMap((each) => [...loaded(of(each))]))
          const bytes = [...files].reduce((sum, file) => sum + gzipSync(file.code, { level: 9 }).length, 0)
          this.info(`${page}, ${language}: ${(bytes / 1000).toFixed(1)} kB gzipped`)
          if (bytes > MOST) heavy.push(`${page}, ${language}: ${bytes}`)
        }
      }
      if (heavy.length > 0) this.error(`At first at most ${MOST} bytes of JavaScript are loaded. ${heavy.join('; ')}`)
    },
  }
}
