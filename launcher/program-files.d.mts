export declare const PROGRAM_FOLDER: string;
export declare const PROGRAM_MAIN: string;
export declare const PROGRAM_FILES: string;
export declare const COMPILED_FOLDER: string;
export declare function isProgramWhole(root: string): boolean;
