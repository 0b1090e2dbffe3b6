/** The folders of a checked account as a tree, and a choice of them as globs. Pure. */
import type { CheckedFolder } from '../api/types'

export interface Branch {
  name: string // whole, as the server gives it
  label: string // without what stands above it
  depth: number
  items: number | null
  parents: readonly string[]
}

const DELIMITERS = ['/', '.', '\\']

/** In the order of the server. The delimiter is not told: a name that goes on from another's is below it. */
export function tree(folders: readonly CheckedFolder[]): Branch[] {
  const names = new Set(folders.map((folder) => folder.name))
  return folders.map(({ name, items }) => {
    const parents = prefixes(name).filter((prefix) => names.has(prefix))
    const above = parents.at(-1)
    return { name, items, parents, depth: parents.length, label: above === undefined ? name : name.slice(above.length + 1) }
  })
}

function prefixes(name: string): string[] {
  return [...name].flatMap((character, at) => (at > 0 && DELIMITERS.includes(character) ? [[...name].slice(0, at).join('')] : []))
}

/** Choosing or leaving out a folder does the same with what is below it. */
export function toggled(left: ReadonlySet<string>, branches: readonly Branch[], name: string, chosen: boolean): Set<string> {
  const changed = new Set(left)
  for (const branch of branches) {
    if (branch.name !== name && !branch.parents.includes(name)) continue
    if (chosen) changed.delete(branch.name)
    else changed.add(branch.name)
  }
  return changed
}

/** What the api is told: the shorter list, of names with their wildcards made harmless. */
export function globs(branches: readonly Branch[], left: ReadonlySet<string>): { include?: string[]; exclude?: string[] } {
  const out = branches.filter((branch) => left.has(branch.name)).map((branch) => literal(branch.name))
  const rest = branches.filter((branch) => !left.has(branch.name)).map((branch) => literal(branch.name))
  if (out.length === 0) return {}
  return out.length <= rest.length ? { exclude: out } : { include: rest }
}

const literal = (name: string): string => name.replace(/[*?[]/g, '[$&]')
