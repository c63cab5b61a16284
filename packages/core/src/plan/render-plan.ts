import type { Plan } from './plan-change.ts';

/** Renders a plan for a terminal, without colour. */
export function renderPlan(_plan: Plan): string {
  throw new Error('Not written yet.');
}
