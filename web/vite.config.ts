import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The output folder is a temporary one of `scripts/dashboard`, which moves it to its place when it is whole.
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
