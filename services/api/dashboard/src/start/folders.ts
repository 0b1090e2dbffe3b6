/** The folders of a checked account as a tree, and a choice of them as globs. Pure. */
import type { CheckedFolder } from '../api/types'

export interface Branch {
  name: string // whole, as the server gives it
  label: string // without what stands above it
  depth: number
  items: number | null
  parents: readonly string[]
  holds: boolean // false: only folders lie in it, and it is not asked for
}

/** In the order of the server; what only holds folders stands above the first of them. */
export function tree(folders: readonly CheckedFolder[]): Branch[] {
  const listed = new Set(folders.map((folder) => folder.name))
  const branches = new Map<string, Branch>()
  const add = (name: string, parents: readonly string[], items: number | null, holds: boolean): void => {
    const above = parents.at(-1)
    branches.set(name, { name, items, parents, holds, depth: parents.length, label: above === undefined ? name : name.slice(above.length + 1) })
  }
  for (const { name, above = [], items } of folders) {
    above.forEach((parent, depth) => {
      if (!listed.has(parent) && !branches.has(parent)) add(parent, above.slice(0, depth), null, false)
    })
    add(name, above, items, true)
  }
  return [...branches.values()]
}

/** The folders to copy. */
export const chosenOf = (branches: readonly Branch[], left: ReadonlySet<string>): Branch[] => branches.filter((branch) => branch.holds && !left.has(branch.name))

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
  const out = branches.filter((branch) => branch.holds && left.has(branch.name)).map((branch) => literal(branch.name))
  const rest = chosenOf(branches, left).map((branch) => literal(branch.name))
  if (out.length === 0) return {}
  return out.length <= rest.length ? { exclude: out } : { include: rest }
}

const literal = (name: string): string => name.replace(/[*?[]/g, '[$&]')

/** How many messages there are, as far as they were counted. */
export function counted(folders: readonly { items: number | null }[]): { items: number; all: boolean } {
  return { items: folders.reduce((total, folder) => total + (folder.items ?? 0), 0), all: folders.every((folder) => folder.items !== null) }
}
