/** What an operator types of an agent's job, and what the agent is started with. Pure. */

export interface JobDraft {
  name: string
  items: string // empty: not known
  types: string // of entities, parted by commas
}

export interface AgentJob {
  name: string
  items_total: number | null
  entity_types: string[]
}

/** null: something is missing, or no number. */
export function jobOf(draft: JobDraft): AgentJob | null {
  const name = draft.name.trim()
  const items = draft.items.replace(/[\s.,’']/g, '')
  if (name === '' || !/^\d{0,12}$/.test(items)) return null
  const types = draft.types.split(',').map((type) => type.trim())
  return { name, items_total: items === '' ? null : Number(items), entity_types: [...new Set(types.filter(Boolean))] }
}

/** A first report in a shell; what is not known stands there as a variable. */
export function commandOf(origin: string, token: string | null, job: string | null): string {
  const auth = `-H "Authorization: Bearer ${token ?? '$TOKEN'}"`
  if (job === null) return `curl "${origin}/api/agents/me/commands" ${auth}`
  const report = JSON.stringify({ batch_id: '1', job_id: job, items_completed: 1, bytes_completed: 1024 })
  return `curl "${origin}/api/progress" ${auth} -H "Content-Type: application/json" -d '${report}'`
}
