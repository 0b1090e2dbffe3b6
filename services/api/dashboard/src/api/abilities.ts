/** What the api behind this page can do, read from its own OpenAPI document. */

import { ask } from './client'

type Node = { [name: string]: unknown }

export interface Abilities {
  modes: readonly string[]
  notify: boolean
  schedule: boolean
  scheduleChange: boolean
  retry: boolean
  rotateLinks: boolean
  finishedJobs: boolean
  fleetStream: boolean
  agents: boolean
  projects: boolean
}

export const NONE: Abilities = {
  modes: [],
  notify: false,
  schedule: false,
  scheduleChange: false,
  retry: false,
  rotateLinks: false,
  finishedJobs: false,
  fleetStream: false,
  agents: false,
  projects: false,
}

/** Asked of the api itself; what it does not answer, it can't. */
export const whatItCan = (): Promise<Abilities> => ask('GET', '/openapi.json').then(abilities, () => NONE)

export function abilities(document: unknown): Abilities {
  const options = at(document, 'components', 'schemas', 'JobOptions', 'properties')
  const limits = at(document, 'components', 'schemas', 'LimitsChange', 'properties')
  const paths = at(document, 'paths')
  const has = (path: string, method: string): boolean => method in at(paths, path)
  return {
    modes: allowed(at(options, 'mode')),
    notify: 'notify_email' in options,
    schedule: 'schedule' in options,
    scheduleChange: 'schedule' in limits,
    retry: has('/api/jobs/{key}/retry', 'post'),
    rotateLinks: has('/api/jobs/{key}/rotate-links', 'post'),
    finishedJobs: states(paths).includes('finished'),
    fleetStream: has('/api/jobs/events', 'get'),
    agents: has('/api/agents', 'post'),
    projects: has('/api/projects/{name}', 'put'),
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

function states(paths: Node): string[] {
  const parameters = at(paths, '/api/jobs', 'get')['parameters']
  if (!Array.isArray(parameters)) return []
  return parameters.filter((each) => isNode(each) && each['name'] === 'state').flatMap((each) => allowed(at(each, 'schema')))
}
