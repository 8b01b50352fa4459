export declare const QUIET: string;
export declare const SERVER_FLAGS: readonly string[];
export declare const MALLOC: Readonly<Record<string, string>>;
