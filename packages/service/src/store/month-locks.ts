/** First half of the keys of advisory locks about the months of usage events. */
export const MONTHS = 470_165
/** Second halves: partitions are made; events are corrected or counted again; months are being dropped. */
export const MAKING = 0
export const CORRECTING = 1
export const DROPPING = 2
