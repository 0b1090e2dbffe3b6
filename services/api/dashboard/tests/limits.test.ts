import { describe, expect, test } from 'vitest'
import type { Limits } from '../src/api/types'
import { changed, draftOf, emptyLimits, faultOf, limitsOf, newWindow, overMidnight, positive } from '../src/limits/draft'

const office: Limits = { concurrency: 3, bandwidth_limit_mbps: 20, schedule: [{ days: ['mon'], from: '08:00', to: '18:00', mbps: 0 }], timezone: 'Europe/Berlin' }

describe('limits', () => {
  test('are sent as they came, when nobody changed them', () => {
    expect(limitsOf(draftOf(office))).toEqual(office)
    expect(changed(office, limitsOf(draftOf(office))!)).toEqual({})
    expect(changed({}, limitsOf(emptyLimits())!)).toEqual({})
  })

  test('are sent only where they were changed', () => {
    const draft = { ...draftOf(office), bandwidth: '', concurrency: '5' }
    expect(changed(office, limitsOf(draft)!)).toEqual({ bandwidth_limit_mbps: null, concurrency: 5 })
    expect(changed(office, limitsOf({ ...draftOf(office), windows: [] })!)).toEqual({ schedule: [], timezone: null })
  })

  test('are numbers with a comma or a point', () => {
    expect([positive('2,5'), positive(' 3.25 '), positive('0'), positive('x'), positive('')]).toEqual([2.5, 3.25, null, null, null])
    expect(limitsOf({ ...emptyLimits(), bandwidth: 'much' })).toBeNull()
  })
})

describe('a time window', () => {
  test('copies nothing unless a number is given', () => {
    expect(limitsOf({ ...emptyLimits(), timezone: 'UTC', windows: [newWindow(), { ...newWindow(), mbps: '2,5' }] })?.schedule.map((window) => window.mbps)).toEqual([0, 2.5])
  })

  test('ends on the next day when it does not end later', () => {
    expect([overMidnight({ ...newWindow(), from: '22:00', to: '06:00' }), overMidnight({ ...newWindow(), from: '08:00', to: '08:00' }), overMidnight(newWindow())]).toEqual([true, true, false])
  })

  test('says what is wrong with it', () => {
    const faults = [{ days: [] }, { from: '' }, { mbps: 'x' }, {}].map((change) => faultOf({ ...newWindow(), ...change }))
    expect(faults).toEqual(['days', 'times', 'number', null])
    expect(limitsOf({ ...emptyLimits(), windows: [{ ...newWindow(), days: [] }] })).toBeNull()
  })
})
