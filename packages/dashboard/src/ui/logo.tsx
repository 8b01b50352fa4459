/** Four strokes and the one that closes them: a tally, and a gate. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#17614a" />
      <g strokeWidth="2.4" strokeLinecap="round" stroke="#fff">
        <path d="M8.5 8v16M13.5 8v16M18.5 8v16M23.5 8v16" />
        <path d="M5.5 21.5 26.5 10.5" stroke="#9fe3c4" />
      </g>
    </svg>
  );
}
