import { describe, expect, test } from 'vitest'
import { commandOf, jobOf } from '../src/fleet/agents'

describe('a job for an agent', () => {
  test('is made of what was typed', () => {
    expect(jobOf({ name: ' Archive ', items: '1 000', types: 'Contacts, Notes,, Contacts' })).toEqual({ name: 'Archive', items_total: 1000, entity_types: ['Contacts', 'Notes'] })
    expect(jobOf({ name: 'x', items: '', types: '' })).toEqual({ name: 'x', items_total: null, entity_types: [] })
  })

  test('needs a name, and a number or none', () => {
    expect(jobOf({ name: ' ', items: '', types: '' })).toBeNull()
    expect(jobOf({ name: 'x', items: 'many', types: '' })).toBeNull()
    expect(jobOf({ name: 'x', items: '-1', types: '' })).toBeNull()
  })
})

describe('the command to start with', () => {
  test('is one line of a shell with the token, or a variable in its place', () => {
    expect(commandOf('https://m.example', 'tok', 'j1')).toBe(
      'curl "https://m.example/api/progress" -H "Authorization: Bearer tok" -H "Content-Type: application/json" -d \'{"batch_id":"1","job_id":"j1","items_completed":1,"bytes_completed":1024}\'',
    )
    expect(commandOf('https://m.example', null, 'j1')).toContain('Bearer $TOKEN"')
    expect(commandOf('https://m.example', 'tok', null)).toContain('/api/agents/me/commands')
  })
})
