/** The names this page uses for what the api says; all but `Snapshot` are generated from its OpenAPI document. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Account = Schemas['Account']
export type Agent = Schemas['AgentView']
export type AgentRegistered = Schemas['AgentRegistered']
export type BatchRow = Schemas['BatchRow']
export type BreakdownRow = Schemas['BreakdownRow']
export type CheckedAccount = Schemas['CheckedAccount']
export type CheckedFolder = Schemas['CheckedFolder']
export type FieldCode = Schemas['FieldCode']
export type FieldError = Schemas['FieldError']
export type FailureRow = Schemas['FailureRow']
export type Day = Window['days'][number]
export type Hold = Schemas['Hold']
export type JobAccepted = Schemas['JobAccepted']
export type JobForm = Schemas['JobForm']
export type JobOptions = Schemas['JobOptions']
export type JobState = Schemas['JobState']
export type JobView = Schemas['JobView']
export type Limits = Schemas['Limits']
export type Notice = NonNullable<JobView['notices']>[number]
export type ProblemCode = Schemas['ProblemCode']
export type Project = Schemas['Project']
export type Reason = Schemas['Reason']
export type Window = Schemas['Window']
export type Security = NonNullable<Account['security']>

/** The data of an event `snapshot`: it comes in a stream, which OpenAPI does not describe. */
export interface Snapshot {
  job: JobView
  breakdown: BreakdownRow[]
}

export type Side = 'source' | 'destination'

const ENDED: readonly JobState[] = ['completed', 'completed_with_errors', 'failed', 'cancelled', 'gone']

export const hasEnded = (state: JobState): boolean => ENDED.includes(state)
