/** Chunks here bring no style sheets and preload nothing: what Vite wraps around each import need only call it. */
import type { Plugin } from 'vite'

export function lightPreload(): Plugin {
  return {
    name: 'light-preload',
    enforce: 'pre',
    apply: 'build',
    transform: {
      filter: { id: /vite\/preload-helper/ },
      handler: () => 'export const __vitePreload = (load) => load()',
    },
  }
}
