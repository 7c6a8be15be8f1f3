export { makeUserStudy, type UserStudyOptions, type UserStudyPack } from "./make.ts";
export { scoreUserStudy, type UserStudyScore } from "./score.ts";
