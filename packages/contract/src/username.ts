/**
 * The form in which user names are compared: `OLGA` and `olga` are one name, however its letters were encoded. What
 * people see is the name as it was chosen.
 */
export function foldUsername(username: string): string {
  // Lower case may leave the composed form, so it is composed again: folding twice changes nothing.
  return username.normalize('NFKC').toLowerCase().normalize('NFKC');
}
