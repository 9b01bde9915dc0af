/** When everybody of the matrix begins: at the end of a month, so that the days of renewal differ. */
export const PAYER_SINCE = Date.UTC(2026, 0, 31) / 1000
