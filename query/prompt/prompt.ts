export function runPrompt(_s: unknown, _r: unknown): Promise<number> {
  return Promise.resolve(0);
}
