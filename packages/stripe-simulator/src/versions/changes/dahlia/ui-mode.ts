import { change } from '../../change.ts'

/** The names of the older versions by the newer ones. `form` has none. */
const OLDER: { readonly [newer: string]: string } = {
  hosted_page: 'hosted',
  embedded_page: 'embedded',
  elements: 'custom',
}

const newerOf = (older: string) => Object.keys(OLDER).find((name) => OLDER[name] === older) ?? older

export const uiMode = change({
  since: '2026-03-25.dahlia',
  what: 'The kinds of Checkout page have other names.',
  source: 'https://docs.stripe.com/changelog/dahlia/2026-03-25/updates-available-checkout-session-ui-modes',
  show: {
    'checkout.session': {
      give: {
        ui_mode: ({ ui_mode: mode }: { readonly ui_mode: string | null }) =>
          mode === null ? null : (OLDER[mode] ?? mode),
      },
    },
  },
  accept: {
    'POST /v1/checkout/sessions': (given) => {
      given.move('ui_mode', 'ui_mode', (mode) => (typeof mode === 'string' ? newerOf(mode) : mode))
    },
  },
})
