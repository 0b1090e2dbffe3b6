/** The parts of the page that are there only sometimes. */
export { default as Failures } from './Failures.svelte'
export { default as Notices } from './Notices.svelte'
export { default as Summary } from './Summary.svelte'
