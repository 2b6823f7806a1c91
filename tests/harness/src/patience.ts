/**
 * How long anything that must happen may take before it counts as hung, in ms, and how often to look. Polled, so that
 * nobody waits longer than needed: it is long because a busy machine is no failure.
 */
export const patience = { timeout: 150_000, interval: 25 } as const;
