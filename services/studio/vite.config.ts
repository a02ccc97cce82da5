import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` shows a running stack: KARGAH_URL, by default the embedded one. The gateway refuses foreign Origins, so
// requests are made to look like its own.
const gateway = process.env.KARGAH_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/studio/",
  plugins: [react()],
  // Beside the gateway's code, which serves it; the image of nginx takes the same files.
  build: {
    target: "es2022",
    outDir: "../gateway/src/gateway/studio_files",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content policy lets nothing but files of our own in
    chunkSizeWarningLimit: 400,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/v1", "/hub"].map((path) => [
        path,
        { target: gateway, changeOrigin: true, headers: { origin: new URL(gateway).origin } },
      ]),
    ),
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
