/** The page of an address: chosen once, loaded with its texts in one language. */
import './app.css'
import { mount, type Component } from 'svelte'
import Broken from './parts/Broken.svelte'
import { speech, type Common, type Part } from './texts'

interface Page {
  load: () => Promise<{ default: Component }>
  parts: readonly Part[]
}

const START: Page = { load: () => import('./start/Start.svelte'), parts: ['start'] }
const JOB: Page = { load: () => import('./job/Job.svelte'), parts: ['job'] }
const FLEET: Page = { load: () => import('./fleet/Fleet.svelte'), parts: ['fleet'] }
const GONE: Page = { load: () => import('./gone/Gone.svelte'), parts: ['gone'] }

function pageOf(path: string, access: string | undefined): Page {
  if (access === 'none') return GONE
  if (path === '/') return START
  if (path === '/fleet') return FLEET
  return path.startsWith('/jobs/') ? JOB : GONE
}

async function show(): Promise<void> {
  const root = document.documentElement
  const target = document.getElementById('app')
  if (target === null) return
  const page = pageOf(location.pathname, root.dataset['access'])
  let t: Common | null = null
  try {
    const [shown, said] = await Promise.all([page.load(), speech(navigator.languages, page.parts)])
    t = said.t
    root.lang = said.language
    mount(shown.default, { target, context: new Map([['speech', said]]) })
  } catch (error) {
    mount(Broken, { target, props: { t } })
    throw error
  }
}

void show()
