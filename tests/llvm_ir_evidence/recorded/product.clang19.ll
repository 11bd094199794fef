; ModuleID = 'gemm.c'
source_filename = "gemm.c"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"

@C = internal unnamed_addr global [192 x [192 x double]] zeroinitializer, align 16, !dbg !0
@A = internal unnamed_addr global [192 x [192 x double]] zeroinitializer, align 16, !dbg !18
@B = internal unnamed_addr global [192 x [192 x double]] zeroinitializer, align 16, !dbg !23
@.str = private unnamed_addr constant [5 x i8] c"dump\00", align 1, !dbg !7
@.str.1 = private unnamed_addr constant [4 x i8] c"%a\0A\00", align 1, !dbg !13

; Function Attrs: nofree noinline norecurse nosync nounwind memory(readwrite, argmem: none, inaccessiblemem: none) uwtable
define dso_local void @kernel_gemm(double noundef %0, double noundef %1) local_unnamed_addr #0 !dbg !33 {
    #dbg_value(double %0, !37, !DIExpression(), !49)
    #dbg_value(double %1, !38, !DIExpression(), !49)
    #dbg_value(i32 0, !39, !DIExpression(), !50)
  br label %3, !dbg !51

3:                                                ; preds = %2, %6
  %4 = phi i64 [ 0, %2 ], [ %7, %6 ]
    #dbg_value(i64 %4, !39, !DIExpression(), !50)
    #dbg_value(i32 0, !42, !DIExpression(), !52)
  br label %9, !dbg !53

5:                                                ; preds = %6
  ret void, !dbg !54

6:                                                ; preds = %14
  %7 = add nuw nsw i64 %4, 1, !dbg !55
    #dbg_value(i64 %7, !39, !DIExpression(), !50)
  %8 = icmp eq i64 %7, 192, !dbg !56
  br i1 %8, label %5, label %3, !dbg !51, !llvm.loop !57

9:                                                ; preds = %3, %14
  %10 = phi i64 [ 0, %3 ], [ %15, %14 ]
    #dbg_value(i64 %10, !42, !DIExpression(), !52)
  %11 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %4, i64 %10, !dbg !60
  %12 = load double, ptr %11, align 8, !dbg !61, !tbaa !62
  %13 = fmul double %12, %1, !dbg !61
    #dbg_value(i32 0, !45, !DIExpression(), !66)
    #dbg_value(i32 0, !45, !DIExpression(), !66)
  br label %17, !dbg !67

14:                                               ; preds = %17
  store double %39, ptr %11, align 8, !dbg !68, !tbaa !62
  %15 = add nuw nsw i64 %10, 1, !dbg !70
    #dbg_value(i64 %15, !42, !DIExpression(), !52)
  %16 = icmp eq i64 %15, 192, !dbg !71
  br i1 %16, label %6, label %9, !dbg !53, !llvm.loop !72

17:                                               ; preds = %17, %9
  %18 = phi i64 [ 0, %9 ], [ %40, %17 ]
  %19 = phi double [ %13, %9 ], [ %39, %17 ]
    #dbg_value(i64 %18, !45, !DIExpression(), !66)
  %20 = getelementptr inbounds [192 x [192 x double]], ptr @A, i64 0, i64 %4, i64 %18, !dbg !74
  %21 = load double, ptr %20, align 8, !dbg !74, !tbaa !62
  %22 = fmul double %21, %0, !dbg !75
  %23 = getelementptr inbounds [192 x [192 x double]], ptr @B, i64 0, i64 %18, i64 %10, !dbg !76
  %24 = load double, ptr %23, align 8, !dbg !76, !tbaa !62
  %25 = tail call double @llvm.fmuladd.f64(double %22, double %24, double %19), !dbg !68
  %26 = add nuw nsw i64 %18, 1, !dbg !77
    #dbg_value(i64 %26, !45, !DIExpression(), !66)
  %27 = getelementptr inbounds [192 x [192 x double]], ptr @A, i64 0, i64 %4, i64 %26, !dbg !74
  %28 = load double, ptr %27, align 8, !dbg !74, !tbaa !62
  %29 = fmul double %28, %0, !dbg !75
  %30 = getelementptr inbounds [192 x [192 x double]], ptr @B, i64 0, i64 %26, i64 %10, !dbg !76
  %31 = load double, ptr %30, align 8, !dbg !76, !tbaa !62
  %32 = tail call double @llvm.fmuladd.f64(double %29, double %31, double %25), !dbg !68
  %33 = add nuw nsw i64 %18, 2, !dbg !77
    #dbg_value(i64 %33, !45, !DIExpression(), !66)
  %34 = getelementptr inbounds [192 x [192 x double]], ptr @A, i64 0, i64 %4, i64 %33, !dbg !74
  %35 = load double, ptr %34, align 8, !dbg !74, !tbaa !62
  %36 = fmul double %35, %0, !dbg !75
  %37 = getelementptr inbounds [192 x [192 x double]], ptr @B, i64 0, i64 %33, i64 %10, !dbg !76
  %38 = load double, ptr %37, align 8, !dbg !76, !tbaa !62
  %39 = tail call double @llvm.fmuladd.f64(double %36, double %38, double %32), !dbg !68
  %40 = add nuw nsw i64 %18, 3, !dbg !77
    #dbg_value(i64 %40, !45, !DIExpression(), !66)
  %41 = icmp eq i64 %40, 192, !dbg !78
  br i1 %41, label %14, label %17, !dbg !67, !llvm.loop !79
}

; Function Attrs: mustprogress nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fmuladd.f64(double, double, double) #1

; Function Attrs: nofree nounwind uwtable
define dso_local noundef i32 @main(i32 noundef %0, ptr nocapture noundef readonly %1) local_unnamed_addr #2 !dbg !81 {
    #dbg_value(i32 %0, !87, !DIExpression(), !101)
    #dbg_value(ptr %1, !88, !DIExpression(), !101)
    #dbg_value(i32 0, !102, !DIExpression(), !111)
  br label %3, !dbg !113

3:                                                ; preds = %2, %34
  %4 = phi i64 [ 0, %2 ], [ %35, %34 ]
    #dbg_value(i64 %4, !102, !DIExpression(), !111)
    #dbg_value(i32 0, !108, !DIExpression(), !114)
  %5 = insertelement <2 x i64> poison, i64 %4, i64 0, !dbg !115
  %6 = shufflevector <2 x i64> %5, <2 x i64> poison, <2 x i32> zeroinitializer, !dbg !115
  br label %7, !dbg !115

7:                                                ; preds = %7, %3
  %8 = phi i64 [ 0, %3 ], [ %31, %7 ], !dbg !116
  %9 = phi <2 x i64> [ <i64 0, i64 1>, %3 ], [ %32, %7 ]
  %10 = mul nuw nsw <2 x i64> %9, %6, !dbg !119
  %11 = trunc <2 x i64> %10 to <2 x i32>, !dbg !120
  %12 = add <2 x i32> %11, <i32 1, i32 1>, !dbg !120
  %13 = urem <2 x i32> %12, <i32 192, i32 192>, !dbg !120
  %14 = uitofp nneg <2 x i32> %13 to <2 x double>, !dbg !121
  %15 = fdiv <2 x double> %14, <double 1.920000e+02, double 1.920000e+02>, !dbg !122
  %16 = getelementptr inbounds [192 x [192 x double]], ptr @A, i64 0, i64 %4, i64 %8, !dbg !123
  store <2 x double> %15, ptr %16, align 16, !dbg !124, !tbaa !62
  %17 = add nuw nsw <2 x i64> %9, <i64 1, i64 1>, !dbg !116
  %18 = mul nuw nsw <2 x i64> %17, %6, !dbg !125
  %19 = trunc <2 x i64> %18 to <2 x i32>, !dbg !126
  %20 = urem <2 x i32> %19, <i32 192, i32 192>, !dbg !126
  %21 = uitofp nneg <2 x i32> %20 to <2 x double>, !dbg !127
  %22 = fdiv <2 x double> %21, <double 1.920000e+02, double 1.920000e+02>, !dbg !128
  %23 = getelementptr inbounds [192 x [192 x double]], ptr @B, i64 0, i64 %4, i64 %8, !dbg !129
  store <2 x double> %22, ptr %23, align 16, !dbg !130, !tbaa !62
  %24 = add nuw nsw <2 x i64> %9, <i64 2, i64 2>, !dbg !131
  %25 = mul nuw nsw <2 x i64> %24, %6, !dbg !132
  %26 = trunc <2 x i64> %25 to <2 x i32>, !dbg !133
  %27 = urem <2 x i32> %26, <i32 192, i32 192>, !dbg !133
  %28 = uitofp nneg <2 x i32> %27 to <2 x double>, !dbg !134
  %29 = fdiv <2 x double> %28, <double 1.920000e+02, double 1.920000e+02>, !dbg !135
  %30 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %4, i64 %8, !dbg !136
  store <2 x double> %29, ptr %30, align 16, !dbg !137, !tbaa !62
  %31 = add nuw i64 %8, 2, !dbg !116
  %32 = add <2 x i64> %9, <i64 2, i64 2>
  %33 = icmp eq i64 %31, 192, !dbg !116
  br i1 %33, label %34, label %7, !dbg !116, !llvm.loop !138

34:                                               ; preds = %7
  %35 = add nuw nsw i64 %4, 1, !dbg !142
    #dbg_value(i64 %35, !102, !DIExpression(), !111)
  %36 = icmp eq i64 %35, 192, !dbg !143
  br i1 %36, label %37, label %3, !dbg !113, !llvm.loop !144

37:                                               ; preds = %34
    #dbg_value(i32 0, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 1, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 2, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 3, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 4, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 5, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 6, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 7, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 8, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 9, !89, !DIExpression(), !146)
  tail call void @kernel_gemm(double noundef 1.500000e+00, double noundef 1.200000e+00), !dbg !147
    #dbg_value(i32 10, !89, !DIExpression(), !146)
  %38 = icmp sgt i32 %0, 1, !dbg !149
  br i1 %38, label %40, label %39, !dbg !150

39:                                               ; preds = %40, %37
  br label %59, !dbg !151

40:                                               ; preds = %37
  %41 = getelementptr inbounds i8, ptr %1, i64 8, !dbg !152
  %42 = load ptr, ptr %41, align 8, !dbg !152, !tbaa !153
  %43 = tail call i32 @strcmp(ptr noundef nonnull dereferenceable(1) %42, ptr noundef nonnull dereferenceable(5) @.str) #5, !dbg !155
  %44 = icmp eq i32 %43, 0, !dbg !155
  br i1 %44, label %45, label %39, !dbg !156

45:                                               ; preds = %40, %47
  %46 = phi i64 [ %48, %47 ], [ 0, %40 ]
    #dbg_value(i64 %46, !91, !DIExpression(), !157)
    #dbg_value(i32 0, !94, !DIExpression(), !158)
  br label %50, !dbg !159

47:                                               ; preds = %50
  %48 = add nuw nsw i64 %46, 1, !dbg !160
    #dbg_value(i64 %48, !91, !DIExpression(), !157)
  %49 = icmp eq i64 %48, 192, !dbg !161
  br i1 %49, label %87, label %45, !dbg !162, !llvm.loop !163

50:                                               ; preds = %45, %50
  %51 = phi i64 [ 0, %45 ], [ %55, %50 ]
    #dbg_value(i64 %51, !94, !DIExpression(), !158)
  %52 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %46, i64 %51, !dbg !165
  %53 = load double, ptr %52, align 8, !dbg !165, !tbaa !62
  %54 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.1, double noundef %53), !dbg !167
  %55 = add nuw nsw i64 %51, 1, !dbg !168
    #dbg_value(i64 %55, !94, !DIExpression(), !158)
  %56 = icmp eq i64 %55, 192, !dbg !169
  br i1 %56, label %47, label %50, !dbg !159, !llvm.loop !170

57:                                               ; preds = %59
  %58 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.1, double noundef %84), !dbg !172
  br label %87

59:                                               ; preds = %59, %39
  %60 = phi i64 [ 0, %39 ], [ %85, %59 ]
  %61 = phi double [ 0.000000e+00, %39 ], [ %84, %59 ]
    #dbg_value(i64 %60, !99, !DIExpression(), !173)
    #dbg_value(double %61, !97, !DIExpression(), !174)
  %62 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %60, i64 %60, !dbg !175
  %63 = load double, ptr %62, align 16, !dbg !175, !tbaa !62
  %64 = fadd double %61, %63, !dbg !177
    #dbg_value(double %64, !97, !DIExpression(), !174)
  %65 = or disjoint i64 %60, 1, !dbg !178
    #dbg_value(i64 %65, !99, !DIExpression(), !173)
  %66 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %65, i64 %65, !dbg !175
  %67 = load double, ptr %66, align 8, !dbg !175, !tbaa !62
  %68 = fadd double %64, %67, !dbg !177
    #dbg_value(double %68, !97, !DIExpression(), !174)
  %69 = add nuw nsw i64 %60, 2, !dbg !178
    #dbg_value(i64 %69, !99, !DIExpression(), !173)
  %70 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %69, i64 %69, !dbg !175
  %71 = load double, ptr %70, align 16, !dbg !175, !tbaa !62
  %72 = fadd double %68, %71, !dbg !177
    #dbg_value(double %72, !97, !DIExpression(), !174)
  %73 = add nuw nsw i64 %60, 3, !dbg !178
    #dbg_value(i64 %73, !99, !DIExpression(), !173)
  %74 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %73, i64 %73, !dbg !175
  %75 = load double, ptr %74, align 8, !dbg !175, !tbaa !62
  %76 = fadd double %72, %75, !dbg !177
    #dbg_value(double %76, !97, !DIExpression(), !174)
  %77 = add nuw nsw i64 %60, 4, !dbg !178
    #dbg_value(i64 %77, !99, !DIExpression(), !173)
  %78 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %77, i64 %77, !dbg !175
  %79 = load double, ptr %78, align 16, !dbg !175, !tbaa !62
  %80 = fadd double %76, %79, !dbg !177
    #dbg_value(double %80, !97, !DIExpression(), !174)
  %81 = add nuw nsw i64 %60, 5, !dbg !178
    #dbg_value(i64 %81, !99, !DIExpression(), !173)
  %82 = getelementptr inbounds [192 x [192 x double]], ptr @C, i64 0, i64 %81, i64 %81, !dbg !175
  %83 = load double, ptr %82, align 8, !dbg !175, !tbaa !62
  %84 = fadd double %80, %83, !dbg !177
    #dbg_value(double %84, !97, !DIExpression(), !174)
  %85 = add nuw nsw i64 %60, 6, !dbg !178
    #dbg_value(i64 %85, !99, !DIExpression(), !173)
  %86 = icmp eq i64 %85, 192, !dbg !179
  br i1 %86, label %57, label %59, !dbg !151, !llvm.loop !180

87:                                               ; preds = %47, %57
  ret i32 0, !dbg !182
}

; Function Attrs: mustprogress nofree nounwind willreturn memory(argmem: read)
declare !dbg !183 i32 @strcmp(ptr nocapture noundef, ptr nocapture noundef) local_unnamed_addr #3

; Function Attrs: nofree nounwind
declare !dbg !189 noundef i32 @printf(ptr nocapture noundef readonly, ...) local_unnamed_addr #4

attributes #0 = { nofree noinline norecurse nosync nounwind memory(readwrite, argmem: none, inaccessiblemem: none) uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #1 = { mustprogress nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { nofree nounwind uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #3 = { mustprogress nofree nounwind willreturn memory(argmem: read) "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #4 = { nofree nounwind "no-trapping-math"="true" "stack-protector-buffer-size"="8" "target-cpu"="x86-64" "target-features"="+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }
attributes #5 = { nounwind willreturn memory(read) }

!llvm.dbg.cu = !{!2}
!llvm.module.flags = !{!25, !26, !27, !28, !29, !30, !31}
!llvm.ident = !{!32}

!0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
!1 = distinct !DIGlobalVariable(name: "C", scope: !2, file: !3, line: 6, type: !20, isLocal: true, isDefinition: true)
!2 = distinct !DICompileUnit(language: DW_LANG_C11, file: !3, producer: "Debian clang version 19.1.7 (3~deb12u1)", isOptimized: true, runtimeVersion: 0, emissionKind: FullDebug, retainedTypes: !4, globals: !6, splitDebugInlining: false, nameTableKind: None)
!3 = !DIFile(filename: "gemm.c", directory: ".", checksumkind: CSK_MD5, checksum: "ffc4331097d835bdec7bfb4fa8fcfe86")
!4 = !{!5}
!5 = !DIBasicType(name: "double", size: 64, encoding: DW_ATE_float)
!6 = !{!7, !13, !18, !23, !0}
!7 = !DIGlobalVariableExpression(var: !8, expr: !DIExpression())
!8 = distinct !DIGlobalVariable(scope: null, file: !3, line: 19, type: !9, isLocal: true, isDefinition: true)
!9 = !DICompositeType(tag: DW_TAG_array_type, baseType: !10, size: 40, elements: !11)
!10 = !DIBasicType(name: "char", size: 8, encoding: DW_ATE_signed_char)
!11 = !{!12}
!12 = !DISubrange(count: 5)
!13 = !DIGlobalVariableExpression(var: !14, expr: !DIExpression())
!14 = distinct !DIGlobalVariable(scope: null, file: !3, line: 19, type: !15, isLocal: true, isDefinition: true)
!15 = !DICompositeType(tag: DW_TAG_array_type, baseType: !10, size: 32, elements: !16)
!16 = !{!17}
!17 = !DISubrange(count: 4)
!18 = !DIGlobalVariableExpression(var: !19, expr: !DIExpression())
!19 = distinct !DIGlobalVariable(name: "A", scope: !2, file: !3, line: 6, type: !20, isLocal: true, isDefinition: true)
!20 = !DICompositeType(tag: DW_TAG_array_type, baseType: !5, size: 2359296, elements: !21)
!21 = !{!22, !22}
!22 = !DISubrange(count: 192)
!23 = !DIGlobalVariableExpression(var: !24, expr: !DIExpression())
!24 = distinct !DIGlobalVariable(name: "B", scope: !2, file: !3, line: 6, type: !20, isLocal: true, isDefinition: true)
!25 = !{i32 7, !"Dwarf Version", i32 5}
!26 = !{i32 2, !"Debug Info Version", i32 3}
!27 = !{i32 1, !"wchar_size", i32 4}
!28 = !{i32 8, !"PIC Level", i32 2}
!29 = !{i32 7, !"PIE Level", i32 2}
!30 = !{i32 7, !"uwtable", i32 2}
!31 = !{i32 7, !"debug-info-assignment-tracking", i1 true}
!32 = !{!"Debian clang version 19.1.7 (3~deb12u1)"}
!33 = distinct !DISubprogram(name: "kernel_gemm", scope: !3, file: !3, line: 8, type: !34, scopeLine: 8, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !36)
!34 = !DISubroutineType(types: !35)
!35 = !{null, !5, !5}
!36 = !{!37, !38, !39, !42, !45}
!37 = !DILocalVariable(name: "alpha", arg: 1, scope: !33, file: !3, line: 8, type: !5)
!38 = !DILocalVariable(name: "beta", arg: 2, scope: !33, file: !3, line: 8, type: !5)
!39 = !DILocalVariable(name: "i", scope: !40, file: !3, line: 9, type: !41)
!40 = distinct !DILexicalBlock(scope: !33, file: !3, line: 9, column: 3)
!41 = !DIBasicType(name: "int", size: 32, encoding: DW_ATE_signed)
!42 = !DILocalVariable(name: "j", scope: !43, file: !3, line: 10, type: !41)
!43 = distinct !DILexicalBlock(scope: !44, file: !3, line: 10, column: 5)
!44 = distinct !DILexicalBlock(scope: !40, file: !3, line: 9, column: 3)
!45 = !DILocalVariable(name: "k", scope: !46, file: !3, line: 12, type: !41)
!46 = distinct !DILexicalBlock(scope: !47, file: !3, line: 12, column: 7)
!47 = distinct !DILexicalBlock(scope: !48, file: !3, line: 10, column: 25)
!48 = distinct !DILexicalBlock(scope: !43, file: !3, line: 10, column: 5)
!49 = !DILocation(line: 0, scope: !33)
!50 = !DILocation(line: 0, scope: !40)
!51 = !DILocation(line: 9, column: 3, scope: !40)
!52 = !DILocation(line: 0, scope: !43)
!53 = !DILocation(line: 10, column: 5, scope: !43)
!54 = !DILocation(line: 15, column: 1, scope: !33)
!55 = !DILocation(line: 9, column: 20, scope: !44)
!56 = !DILocation(line: 9, column: 16, scope: !44)
!57 = distinct !{!57, !51, !58, !59}
!58 = !DILocation(line: 14, column: 5, scope: !40)
!59 = !{!"llvm.loop.mustprogress"}
!60 = !DILocation(line: 11, column: 7, scope: !47)
!61 = !DILocation(line: 11, column: 14, scope: !47)
!62 = !{!63, !63, i64 0}
!63 = !{!"double", !64, i64 0}
!64 = !{!"omnipotent char", !65, i64 0}
!65 = !{!"Simple C/C++ TBAA"}
!66 = !DILocation(line: 0, scope: !46)
!67 = !DILocation(line: 12, column: 7, scope: !46)
!68 = !DILocation(line: 13, column: 16, scope: !69)
!69 = distinct !DILexicalBlock(scope: !46, file: !3, line: 12, column: 7)
!70 = !DILocation(line: 10, column: 22, scope: !48)
!71 = !DILocation(line: 10, column: 18, scope: !48)
!72 = distinct !{!72, !53, !73, !59}
!73 = !DILocation(line: 14, column: 5, scope: !43)
!74 = !DILocation(line: 13, column: 24, scope: !69)
!75 = !DILocation(line: 13, column: 23, scope: !69)
!76 = !DILocation(line: 13, column: 32, scope: !69)
!77 = !DILocation(line: 12, column: 24, scope: !69)
!78 = !DILocation(line: 12, column: 20, scope: !69)
!79 = distinct !{!79, !67, !80, !59}
!80 = !DILocation(line: 13, column: 38, scope: !46)
!81 = distinct !DISubprogram(name: "main", scope: !3, file: !3, line: 16, type: !82, scopeLine: 16, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !86)
!82 = !DISubroutineType(types: !83)
!83 = !{!41, !41, !84}
!84 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !85, size: 64)
!85 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !10, size: 64)
!86 = !{!87, !88, !89, !91, !94, !97, !99}
!87 = !DILocalVariable(name: "argc", arg: 1, scope: !81, file: !3, line: 16, type: !41)
!88 = !DILocalVariable(name: "argv", arg: 2, scope: !81, file: !3, line: 16, type: !84)
!89 = !DILocalVariable(name: "r", scope: !90, file: !3, line: 18, type: !41)
!90 = distinct !DILexicalBlock(scope: !81, file: !3, line: 18, column: 3)
!91 = !DILocalVariable(name: "i", scope: !92, file: !3, line: 19, type: !41)
!92 = distinct !DILexicalBlock(scope: !93, file: !3, line: 19, column: 38)
!93 = distinct !DILexicalBlock(scope: !81, file: !3, line: 19, column: 6)
!94 = !DILocalVariable(name: "j", scope: !95, file: !3, line: 19, type: !41)
!95 = distinct !DILexicalBlock(scope: !96, file: !3, line: 19, column: 58)
!96 = distinct !DILexicalBlock(scope: !92, file: !3, line: 19, column: 38)
!97 = !DILocalVariable(name: "s", scope: !98, file: !3, line: 20, type: !5)
!98 = distinct !DILexicalBlock(scope: !93, file: !3, line: 20, column: 8)
!99 = !DILocalVariable(name: "i", scope: !100, file: !3, line: 20, type: !41)
!100 = distinct !DILexicalBlock(scope: !98, file: !3, line: 20, column: 21)
!101 = !DILocation(line: 0, scope: !81)
!102 = !DILocalVariable(name: "i", scope: !103, file: !3, line: 7, type: !41)
!103 = distinct !DILexicalBlock(scope: !104, file: !3, line: 7, column: 24)
!104 = distinct !DISubprogram(name: "init", scope: !3, file: !3, line: 7, type: !105, scopeLine: 7, flags: DIFlagPrototyped | DIFlagAllCallsDescribed, spFlags: DISPFlagLocalToUnit | DISPFlagDefinition | DISPFlagOptimized, unit: !2, retainedNodes: !107)
!105 = !DISubroutineType(types: !106)
!106 = !{null}
!107 = !{!102, !108}
!108 = !DILocalVariable(name: "j", scope: !109, file: !3, line: 7, type: !41)
!109 = distinct !DILexicalBlock(scope: !110, file: !3, line: 7, column: 44)
!110 = distinct !DILexicalBlock(scope: !103, file: !3, line: 7, column: 24)
!111 = !DILocation(line: 0, scope: !103, inlinedAt: !112)
!112 = distinct !DILocation(line: 17, column: 3, scope: !81)
!113 = !DILocation(line: 7, column: 24, scope: !103, inlinedAt: !112)
!114 = !DILocation(line: 0, scope: !109, inlinedAt: !112)
!115 = !DILocation(line: 7, column: 44, scope: !109, inlinedAt: !112)
!116 = !DILocation(line: 7, column: 106, scope: !117, inlinedAt: !112)
!117 = distinct !DILexicalBlock(scope: !118, file: !3, line: 7, column: 64)
!118 = distinct !DILexicalBlock(scope: !109, file: !3, line: 7, column: 44)
!119 = !DILocation(line: 7, column: 75, scope: !117, inlinedAt: !112)
!120 = !DILocation(line: 7, column: 80, scope: !117, inlinedAt: !112)
!121 = !DILocation(line: 7, column: 73, scope: !117, inlinedAt: !112)
!122 = !DILocation(line: 7, column: 82, scope: !117, inlinedAt: !112)
!123 = !DILocation(line: 7, column: 65, scope: !117, inlinedAt: !112)
!124 = !DILocation(line: 7, column: 72, scope: !117, inlinedAt: !112)
!125 = !DILocation(line: 7, column: 103, scope: !117, inlinedAt: !112)
!126 = !DILocation(line: 7, column: 110, scope: !117, inlinedAt: !112)
!127 = !DILocation(line: 7, column: 101, scope: !117, inlinedAt: !112)
!128 = !DILocation(line: 7, column: 112, scope: !117, inlinedAt: !112)
!129 = !DILocation(line: 7, column: 93, scope: !117, inlinedAt: !112)
!130 = !DILocation(line: 7, column: 100, scope: !117, inlinedAt: !112)
!131 = !DILocation(line: 7, column: 136, scope: !117, inlinedAt: !112)
!132 = !DILocation(line: 7, column: 133, scope: !117, inlinedAt: !112)
!133 = !DILocation(line: 7, column: 140, scope: !117, inlinedAt: !112)
!134 = !DILocation(line: 7, column: 131, scope: !117, inlinedAt: !112)
!135 = !DILocation(line: 7, column: 142, scope: !117, inlinedAt: !112)
!136 = !DILocation(line: 7, column: 123, scope: !117, inlinedAt: !112)
!137 = !DILocation(line: 7, column: 130, scope: !117, inlinedAt: !112)
!138 = distinct !{!138, !115, !139, !59, !140, !141}
!139 = !DILocation(line: 7, column: 153, scope: !109, inlinedAt: !112)
!140 = !{!"llvm.loop.isvectorized", i32 1}
!141 = !{!"llvm.loop.unroll.runtime.disable"}
!142 = !DILocation(line: 7, column: 41, scope: !110, inlinedAt: !112)
!143 = !DILocation(line: 7, column: 37, scope: !110, inlinedAt: !112)
!144 = distinct !{!144, !113, !145, !59}
!145 = !DILocation(line: 7, column: 153, scope: !103, inlinedAt: !112)
!146 = !DILocation(line: 0, scope: !90)
!147 = !DILocation(line: 18, column: 25, scope: !148)
!148 = distinct !DILexicalBlock(scope: !90, file: !3, line: 18, column: 3)
!149 = !DILocation(line: 19, column: 10, scope: !93)
!150 = !DILocation(line: 19, column: 12, scope: !93)
!151 = !DILocation(line: 20, column: 21, scope: !100)
!152 = !DILocation(line: 19, column: 22, scope: !93)
!153 = !{!154, !154, i64 0}
!154 = !{!"any pointer", !64, i64 0}
!155 = !DILocation(line: 19, column: 15, scope: !93)
!156 = !DILocation(line: 19, column: 6, scope: !81)
!157 = !DILocation(line: 0, scope: !92)
!158 = !DILocation(line: 0, scope: !95)
!159 = !DILocation(line: 19, column: 58, scope: !95)
!160 = !DILocation(line: 19, column: 55, scope: !96)
!161 = !DILocation(line: 19, column: 51, scope: !96)
!162 = !DILocation(line: 19, column: 38, scope: !92)
!163 = distinct !{!163, !162, !164, !59}
!164 = !DILocation(line: 19, column: 99, scope: !92)
!165 = !DILocation(line: 19, column: 92, scope: !166)
!166 = distinct !DILexicalBlock(scope: !95, file: !3, line: 19, column: 58)
!167 = !DILocation(line: 19, column: 78, scope: !166)
!168 = !DILocation(line: 19, column: 75, scope: !166)
!169 = !DILocation(line: 19, column: 71, scope: !166)
!170 = distinct !{!170, !159, !171, !59}
!171 = !DILocation(line: 19, column: 99, scope: !95)
!172 = !DILocation(line: 20, column: 52, scope: !98)
!173 = !DILocation(line: 0, scope: !100)
!174 = !DILocation(line: 0, scope: !98)
!175 = !DILocation(line: 20, column: 44, scope: !176)
!176 = distinct !DILexicalBlock(scope: !100, file: !3, line: 20, column: 21)
!177 = !DILocation(line: 20, column: 42, scope: !176)
!178 = !DILocation(line: 20, column: 38, scope: !176)
!179 = !DILocation(line: 20, column: 34, scope: !176)
!180 = distinct !{!180, !151, !181, !59}
!181 = !DILocation(line: 20, column: 50, scope: !100)
!182 = !DILocation(line: 21, column: 3, scope: !81)
!183 = !DISubprogram(name: "strcmp", scope: !184, file: !184, line: 156, type: !185, flags: DIFlagPrototyped, spFlags: DISPFlagOptimized)
!184 = !DIFile(filename: "/usr/include/string.h", directory: "", checksumkind: CSK_MD5, checksum: "0ee11a08692643b86154f96759d0f7fa")
!185 = !DISubroutineType(types: !186)
!186 = !{!41, !187, !187}
!187 = !DIDerivedType(tag: DW_TAG_pointer_type, baseType: !188, size: 64)
!188 = !DIDerivedType(tag: DW_TAG_const_type, baseType: !10)
!189 = !DISubprogram(name: "printf", scope: !190, file: !190, line: 356, type: !191, flags: DIFlagPrototyped, spFlags: DISPFlagOptimized)
!190 = !DIFile(filename: "/usr/include/stdio.h", directory: "", checksumkind: CSK_MD5, checksum: "b5a90985555f47bfb88eff5a8f0f5b72")
!191 = !DISubroutineType(types: !192)
!192 = !{!41, !193, null}
!193 = !DIDerivedType(tag: DW_TAG_restrict_type, baseType: !187)
