/** What the api behind this page can do: read from its own OpenAPI document, and from how it says it is set up. */

import { ask } from './client'

type Node = { [name: string]: unknown }

export interface Abilities {
  modes: readonly string[]
  notify: boolean
  retry: boolean
  rotateLinks: boolean
}

export const NONE: Abilities = {
  modes: [],
  notify: false,
  retry: false,
  rotateLinks: false,
}

/** Asked of the api itself; what it does not answer, it can't. */
export async function whatItCan(): Promise<Abilities> {
  const [document, setUp] = await Promise.all(['/openapi.json', '/api/abilities'].map((path) => ask<unknown>('GET', path).catch(() => null)))
  return { ...abilities(document), notify: at(setUp)['notify_email'] === true }
}

export function abilities(document: unknown): Abilities {
  const options = at(document, 'components', 'schemas', 'JobOptions', 'properties')
  const paths = at(document, 'paths')
  const has = (path: string, method: string): boolean => method in at(paths, path)
  return {
    modes: allowed(at(options, 'mode')),
    notify: false,
    retry: has('/api/jobs/{key}/retry', 'post'),
    rotateLinks: has('/api/jobs/{key}/rotate-links', 'post'),
  }
}

function at(node: unknown, ...path: string[]): Node {
  for (const name of path) node = isNode(node) ? node[name] : undefined
  return isNode(node) ? node : {}
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null
}

function allowed(schema: Node): string[] {
  if (Array.isArray(schema['enum'])) return schema['enum'] as string[]
  return typeof schema['const'] === 'string' ? [schema['const']] : []
}
