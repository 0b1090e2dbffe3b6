/** The foot of the page: loaded when somebody comes near it. */
export { default as Holds } from './Holds.svelte'
export { default as Keep } from './Keep.svelte'
