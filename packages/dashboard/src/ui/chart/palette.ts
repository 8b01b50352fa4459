/** Seven colours that stay apart for colour-blind eyes, and grey for the rest. Values are in tokens.css, per theme. */
export const SERIES_COLORS = [5, 6, 3, 7, 4, 1, 2].map((n) => `--tg-c${n}`);
export const OTHER_COLOR = '--tg-c-other';
export const OTHER_KEY = 'other';

/**
 * A colour for each entity that depends on its key: the same model has the same colour on every screen and day,
 * unless two in one view want the same one; then the later key (in alphabetical order) takes the next free colour.
 */
export function assignColors(keys: string[]): Map<string, string> {
  const taken = new Set<number>();
  const colors = new Map<string, string>();
  for (const key of [...keys].sort()) {
    if (key === OTHER_KEY) {
      colors.set(key, OTHER_COLOR);
      continue;
    }
    let slot = hash(key) % SERIES_COLORS.length;
    for (let tries = 0; taken.has(slot) && tries < SERIES_COLORS.length; tries++) {
      slot = (slot + 1) % SERIES_COLORS.length;
    }
    taken.add(slot);
    colors.set(key, SERIES_COLORS[slot] ?? OTHER_COLOR);
  }
  return colors;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
