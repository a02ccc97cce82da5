/** The curve of a loss that falls, and the spark it was made for. */
export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="#0b8f8a" />
      <path
        d="M6.5 9c4.5 0 4 9.5 8.5 12s6-1 10.5-1"
        fill="none"
        stroke="#fff"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="24.5" cy="10" r="2.6" fill="#ffc247" />
    </svg>
  );
}
