import { describe, expect, test } from 'vitest'
import { Problem } from '../src/api/client'
import type { FieldError, ProblemCode } from '../src/api/types'
import { told } from '../src/parts/problem'
import { bySide } from '../src/start/account'
import { speech } from '../src/texts'

const german = await speech(['de-DE'], [])
const error = (field: string, code: FieldError['code'], limit: number | null = null): FieldError => ({ field, code, limit, message: 'English' })
const invalid = (...errors: FieldError[]): Problem => new Problem(422, 'invalid', errors)

describe('what the api would not do', () => {
  test('is said by its code, and beside each field', async () => {
    const { text, fields } = await told(invalid(error('options.notify_email', 'malformed'), error('name', 'too_long', 1_200)), german)
    expect(text).toBe('Mail an mich, wenn es fertig ist: Das ist keine Mailadresse wie name@example.org.')
    expect(fields).toEqual({ 'options.notify_email': 'Das ist keine Mailadresse wie name@example.org.', name: 'Bitte höchstens 1.200 Zeichen.' })
  })

  test('a part of a list is named after the list', async () => {
    expect((await told(invalid(error('options.schedule.0.mbps', 'too_great', 100_000)), german)).text).toBe('Zeitplan: Bitte höchstens 100.000.')
  })

  test('a number of bytes has its unit, as the field may have another one', async () => {
    expect((await told(invalid(error('options.max_item_bytes', 'too_small', 1)), german)).text.replace('\u00a0', ' ')).toBe('Größte Nachricht: Bitte mindestens 1 Byte.')
  })

  test.each<[number, ProblemCode, string]>([
    [409, 'nothing_failed_yet', 'Er läuft noch, und bisher ist nichts fehlgeschlagen.'],
    [409, 'job_ended', 'Der Umzug ist schon beendet oder wird gerade beendet.'],
    [404, 'no_such_project', 'Dieses Projekt gibt es nicht mehr.'],
    [503, 'unavailable', 'Mailtide kann das gerade nicht. Versuchen Sie es gleich noch einmal.'],
    [0, 'other', 'Mailtide antwortet nicht. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.'],
  ])('%i %s', async (status, code, text) => {
    expect((await told(new Problem(status, code), german)).text).toBe(text)
  })

  test('what this page does not know is said in general, and never in English', async () => {
    expect((await told(new Problem(418, 'teapot' as ProblemCode), german)).text).toBe('Mailtide konnte das nicht tun.')
    const { text, fields } = await told(invalid(error('moon', 'full' as FieldError['code'])), german)
    expect([text, fields['moon']]).toEqual(Array(2).fill('Das nimmt Mailtide hier nicht an.'))
  })

  test('what is said of an account stands at its field, of the account as a whole at the user name', () => {
    const fields = { 'source.host': 'a', 'source.oauth.access_token': 'b', destination: 'c', 'options.since': 'd' }
    expect(bySide(fields)).toEqual({ source: { host: 'a', secret: 'b' }, destination: { username: 'c' } })
  })
})
