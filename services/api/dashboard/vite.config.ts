import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { firstLoad } from './first-load.ts'
import { lightPreload } from './light-preload.ts'

const API = process.env['MAILTIDE_URL'] ?? 'http://127.0.0.1:8025'
const PROXY = Object.fromEntries(['/api', '/openapi.json'].map((path) => [path, API]))

export default defineConfig({
  plugins: [svelte({ compilerOptions: { discloseVersion: false, cssHash: ({ hash, css }) => `s${hash(css).slice(0, 4)}` } }), lightPreload(), firstLoad()],
  build: {
    target: 'esnext',
    modulePreload: false, // chunks are few, and its code would be a part of the first load
    cssCodeSplit: false, // all of it is less than one round trip
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'core', test: /node_modules[\\/](svelte|clsx|esm-env)[\\/]|src[\\/](main|api[\\/]client|numbers|texts[\\/]index|job[\\/]door|parts[\\/](Masthead|Broken|speech|later|problem|property))/ },
          ],
        },
      },
    },
  },
  server: { proxy: PROXY },
  test: { include: ['tests/**/*.test.ts'] },
})
